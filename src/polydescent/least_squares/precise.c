/* Sums over rows to 30 digits, in double-double: a number is an unevaluated sum hi + lo. What cancels,
   the residual and its products with T_k, has 46, as hi + mid + lo.

   The operations are those of double_double.py, where their sources are named, on LANES rows at once.
   Every rounding error is wanted: compile without -fassociative-math and with -ffp-contract=off. */

#include <stddef.h>
#include <string.h>

#define LANES 16

#define CPUS "avx512f", "avx2", "default"
#include "portable.h"

typedef struct { double hi, lo; } pair;
typedef struct { double hi[LANES], lo[LANES]; } pairs;
typedef struct { double hi, mid, lo; } triple;
typedef struct { double hi[LANES], mid[LANES], lo[LANES]; } triples;

/* ── 32 digits ── */

INLINE pair two_sum(double a, double b) {
    const double hi = a + b, from_b = hi - a;
    return (pair){hi, (a - (hi - from_b)) + (b - from_b)};
}

INLINE pair renormalized(double hi, double lo) {
    const double total = hi + lo;
    return (pair){total, lo - (total - hi)};
}

INLINE pair sum(pair a, pair b) {
    const pair s = two_sum(a.hi, b.hi);
    return renormalized(s.hi, s.lo + (a.lo + b.lo));
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

INLINE pair at(const pairs *p, int i) { return (pair){p->hi[i], p->lo[i]}; }
INLINE void put(pairs *p, int i, pair v) { p->hi[i] = v.hi, p->lo[i] = v.lo; }

INLINE void add_product(pairs *total, const pairs *a, const pairs *b) {
    for (int i = 0; i < LANES; i++) put(total, i, sum(at(total, i), product(at(a, i), at(b, i))));
}

/* ── 48 digits ── */

INLINE triple renormalized3(double hi, double mid, double lo) {
    const pair low = two_sum(mid, lo), high = two_sum(hi, low.hi), rest = two_sum(high.lo, low.lo);
    return (triple){high.hi, rest.hi, rest.lo};
}

INLINE triple negative3(triple a) { return (triple){-a.hi, -a.mid, -a.lo}; }

INLINE triple sum3(triple a, triple b) {
    const pair high = two_sum(a.hi, b.hi), low = two_sum(a.mid, b.mid), mid = two_sum(low.hi, high.lo);
    return renormalized3(high.hi, mid.hi, (a.lo + b.lo) + (low.lo + mid.lo));
}

INLINE triple product3(triple a, triple b) {
    const pair high = two_product(a.hi, b.hi);
    const pair left = two_product(a.hi, b.mid), right = two_product(a.mid, b.hi);
    const pair cross = two_sum(left.hi, right.hi), mid = two_sum(high.lo, cross.hi);
    const double lo = a.hi * b.lo + a.mid * b.mid + a.lo * b.hi;
    return renormalized3(high.hi, mid.hi, lo + ((left.lo + right.lo) + (cross.lo + mid.lo)));
}

INLINE triple scaled3(triple a, double factor) {
    const pair high = two_product(a.hi, factor), low = two_product(a.mid, factor);
    const pair mid = two_sum(low.hi, high.lo);
    return renormalized3(high.hi, mid.hi, a.lo * factor + (low.lo + mid.lo));
}

INLINE triple over3(pair a, double b) {
    const double first = a.hi / b;
    const pair back = two_product(first, b), left = two_sum((a.hi - back.hi) - back.lo, a.lo);
    const double second = left.hi / b;
    const pair again = two_product(second, b);
    return renormalized3(first, second, (((left.hi - again.hi) - again.lo) + left.lo) / b);
}

INLINE triple at3(const triples *p, int i) { return (triple){p->hi[i], p->mid[i], p->lo[i]}; }
INLINE void put3(triples *p, int i, triple v) { p->hi[i] = v.hi, p->mid[i] = v.mid, p->lo[i] = v.lo; }
INLINE pair shortened(triple a) { return renormalized(a.hi, a.mid + a.lo); }

INLINE void add_product3(triples *total, const triples *a, const triples *b) {
    for (int i = 0; i < LANES; i++) put3(total, i, sum3(at3(total, i), product3(at3(a, i), at3(b, i))));
}

/* ── the rows ── */

/* LANES rows from `first` on, as u, y and w; rows past the end get weight 0. */
INLINE void load(const precise_rows *rows, ptrdiff_t first, ptrdiff_t n, double mid, double half,
                 triples *u, triples *y, pairs *w) {
    double x[LANES];
    for (int i = 0; i < LANES; i++) {
        const ptrdiff_t row = first + i < n ? first + i : first;
        x[i] = rows->x[row] * rows->x_unit;
        put3(y, i, (triple){rows->y[row] * rows->y_unit, 0.0, 0.0});
        put(w, i, (pair){first + i >= n ? 0.0 : rows->w ? rows->w[row] : 1.0, 0.0});
    }
    for (int i = 0; i < LANES; i++) put3(u, i, over3(two_sum(x[i], -mid), half));
}

INLINE void chebyshev(const triples *u, int degree, triples *t) {
    for (int i = 0; i < LANES; i++) put3(&t[0], i, (triple){1.0, 0.0, 0.0});
    if (degree) t[1] = *u;
    for (int k = 2; k <= degree; k++)
        for (int i = 0; i < LANES; i++) {
            const triple twice = {2.0 * u->hi[i], 2.0 * u->mid[i], 2.0 * u->lo[i]};
            put3(&t[k], i, sum3(product3(at3(&t[k - 1], i), twice), negative3(at3(&t[k - 2], i))));
        }
}

/* r − Σ pilot[k]·T_k in place of r. */
INLINE void subtract(const triples *t, int degree, const double *pilot, triples *r) {
    for (int k = 0; k <= degree; k++)
        for (int i = 0; i < LANES; i++)
            put3(r, i, sum3(at3(r, i), scaled3(at3(&t[k], i), -pilot[k])));
}

/* Over the lanes. */
INLINE void put_sum(const pairs *lanes, double *into) {
    pair total = at(lanes, 0);
    for (int i = 1; i < LANES; i++) total = sum(total, at(lanes, i));
    into[0] = total.hi, into[1] = total.lo, into[2] = 0.0;
}

INLINE void put_sum3(const triples *lanes, double *into) {
    triple total = at3(lanes, 0);
    for (int i = 1; i < LANES; i++) total = sum3(total, at3(lanes, i));
    into[0] = total.hi, into[1] = total.mid, into[2] = total.lo;
}

FOR_EACH_CPU static void
precise_sums(const precise_rows *rows, ptrdiff_t n, double mid, double half, int degree,
             const double *pilot, const double *pilot_rest, double *sums) {
    triples t[MAX_PRECISE_DEGREE + 1], gradient[MAX_PRECISE_DEGREE + 1], u, r, weighted_r;
    pairs moments[2 * MAX_PRECISE_DEGREE + 1], square, w, weighted;
    const int k_count = degree + 1, m_count = 2 * degree + 1;
    memset(moments, 0, m_count * sizeof(pairs));
    memset(gradient, 0, k_count * sizeof(triples));
    memset(&square, 0, sizeof square);
    for (ptrdiff_t first = 0; first < n; first += LANES) {
        pairs low[MAX_PRECISE_DEGREE + 1];
        load(rows, first, n, mid, half, &u, &r, &w);
        chebyshev(&u, degree, t);
        subtract(t, degree, pilot, &r);
        if (pilot_rest) subtract(t, degree, pilot_rest, &r);
        for (int i = 0; i < LANES; i++) put3(&weighted_r, i, scaled3(at3(&r, i), w.hi[i]));
        for (int k = 0; k < k_count; k++) {
            for (int i = 0; i < LANES; i++) put(&low[k], i, (pair){t[k].hi[i], t[k].mid[i]});
            add_product(&moments[k], &low[k], &w);
            add_product3(&gradient[k], &t[k], &weighted_r);
        }
        for (int i = 0; i < LANES; i++) put(&weighted, i, product(at(&low[degree], i), at(&w, i)));
        for (int k = 1; k < k_count; k++) add_product(&moments[degree + k], &low[k], &weighted);
        for (int i = 0; i < LANES; i++)
            put(&square, i, sum(at(&square, i),
                                product(shortened(at3(&r, i)), shortened(at3(&weighted_r, i)))));
    }
    for (int j = 0; j < m_count; j++, sums += 3) put_sum(&moments[j], sums);
    for (int k = 0; k < k_count; k++, sums += 3) put_sum3(&gradient[k], sums);
    put_sum(&square, sums);
}
