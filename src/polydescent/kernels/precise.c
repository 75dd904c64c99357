/* Sums over rows to 30 digits, in double-double: a number is an unevaluated sum hi + lo.

   The operations are those of double_double.py, where their sources are named, on LANES rows at once.
   Every rounding error is wanted: compile without -fassociative-math and with -ffp-contract=off. */

#include <stddef.h>
#include <string.h>

#define LANES 16

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline)) /* so that each clone has its own copy */
#else
#define INLINE static inline
#endif

typedef struct { double hi, lo; } pair;
typedef struct { double hi[LANES], lo[LANES]; } pairs;

INLINE pair renormalized(double hi, double lo) {
    const double total = hi + lo;
    return (pair){total, lo - (total - hi)};
}

INLINE pair sum(pair a, pair b) {
    const double hi = a.hi + b.hi, from_b = hi - a.hi;
    const double lost = (a.hi - (hi - from_b)) + (b.hi - from_b);
    return renormalized(hi, lost + (a.lo + b.lo));
}

INLINE pair two_product(double a, double b) {
    const double a_spread = 134217729.0 * a, b_spread = 134217729.0 * b, hi = a * b;
    const double a_hi = a_spread - (a_spread - a), a_lo = a - a_hi;
    const double b_hi = b_spread - (b_spread - b), b_lo = b - b_hi;
    return (pair){hi, a_lo * b_lo - (((hi - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo)};
}

INLINE pair product(pair a, pair b) {
    const pair p = two_product(a.hi, b.hi);
    return renormalized(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

INLINE pair minus(pair a) { return (pair){-a.hi, -a.lo}; }

INLINE pair over(pair a, double b) {
    const double first = a.hi / b;
    const pair back = two_product(first, b);
    return renormalized(first, (((a.hi - back.hi) - back.lo) + a.lo) / b);
}

INLINE pair at(const pairs *p, int i) { return (pair){p->hi[i], p->lo[i]}; }
INLINE void put(pairs *p, int i, pair v) { p->hi[i] = v.hi, p->lo[i] = v.lo; }

INLINE void add_product(pairs *total, const pairs *a, const pairs *b) {
    for (int i = 0; i < LANES; i++) put(total, i, sum(at(total, i), product(at(a, i), at(b, i))));
}

/* LANES rows from `first` on, as u, r and w; rows past the end get weight 0. */
INLINE void load(const precise_rows *rows, ptrdiff_t first, ptrdiff_t n, double mid, double half,
                 pairs *u, pairs *r, pairs *w) {
    double x[LANES];
    for (int i = 0; i < LANES; i++) {
        const ptrdiff_t row = first + i < n ? first + i : first;
        x[i] = rows->x[row] * rows->x_unit;
        put(r, i, (pair){rows->y[row] * rows->y_unit, 0.0});
        put(w, i, (pair){first + i >= n ? 0.0 : rows->w ? rows->w[row] : 1.0, 0.0});
    }
    for (int i = 0; i < LANES; i++) {
        const pair from_mid = sum((pair){x[i], 0.0}, (pair){-mid, 0.0});
        put(u, i, half != 0.0 ? over(from_mid, half) : from_mid);
    }
}

INLINE void chebyshev(const pairs *u, int degree, pairs *t) {
    for (int i = 0; i < LANES; i++) put(&t[0], i, (pair){1.0, 0.0});
    if (degree) t[1] = *u;
    for (int k = 2; k <= degree; k++)
        for (int i = 0; i < LANES; i++) {
            const pair twice = {2.0 * u->hi[i], 2.0 * u->lo[i]};
            put(&t[k], i, sum(product(at(&t[k - 1], i), twice), minus(at(&t[k - 2], i))));
        }
}

FOR_EACH_CPU static void
precise_sums(const precise_rows *rows, ptrdiff_t n, double mid, double half, int degree,
             const double *pilot, double *sums) {
    pairs t[MAX_PRECISE_DEGREE + 1], totals[3 * (MAX_PRECISE_DEGREE + 1)], u, r, w, weighted;
    const int k_count = degree + 1, count = 3 * k_count;
    memset(totals, 0, count * sizeof(pairs));
    for (ptrdiff_t first = 0; first < n; first += LANES) {
        load(rows, first, n, mid, half, &u, &r, &w);
        chebyshev(&u, degree, t);
        for (int k = 0; k < k_count; k++)
            for (int i = 0; i < LANES; i++) {
                const pair p = two_product(t[k].hi[i], -pilot[k]);
                put(&r, i, sum(at(&r, i), (pair){p.hi, p.lo - t[k].lo[i] * pilot[k]}));
            }
        for (int k = 0; k < k_count; k++) add_product(&totals[k], &t[k], &w);
        for (int i = 0; i < LANES; i++) put(&weighted, i, product(at(&t[degree], i), at(&w, i)));
        for (int k = 1; k < k_count; k++) add_product(&totals[degree + k], &t[k], &weighted);
        for (int i = 0; i < LANES; i++) put(&weighted, i, product(at(&r, i), at(&w, i)));
        for (int k = 0; k < k_count; k++) add_product(&totals[degree + k_count + k], &t[k], &weighted);
        add_product(&totals[count - 1], &r, &weighted);
    }
    for (int j = 0; j < count; j++) {
        pair total = at(&totals[j], 0);
        for (int i = 1; i < LANES; i++) total = sum(total, at(&totals[j], i));
        sums[2 * j] = total.hi, sums[2 * j + 1] = total.lo;
    }
}
