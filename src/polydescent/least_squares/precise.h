/* What precise.c offers: read by cffi (setup.py) and by the C compiler alike. */

#define MAX_PRECISE_DEGREE 62

typedef struct {
    const double *x, *y, *w;          /* contiguous; w NULL: every weight is 1 */
    double x_unit, y_unit;            /* powers of two that x and y are multiplied by first */
} precise_rows;

/* Of n rows, with u = (x·x_unit − mid) / half and r = y·y_unit − Σ (pilot[k] + pilot_rest[k])·T_k(u),
   pilot_rest NULL where it is 0, as hi, mid, lo triples:
   Σ w·T_k (degree + 1 of them), Σ w·T_d·T_k for k ≥ 1 (degree), Σ w·r·T_k (degree + 1), Σ w·r². */
static void precise_sums(const precise_rows *, ptrdiff_t n, double mid, double half, int degree,
                         const double *pilot, const double *pilot_rest, double *sums);
