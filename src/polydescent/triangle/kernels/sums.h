/* What sums.c offers: read by cffi (setup.py) and by the C compiler alike. */

#define MAX_DEGREE 62

typedef struct { const char *data; ptrdiff_t stride; int bytes, contiguous; } column; /* bytes: 8 or 4 */
typedef struct { column x, y, w; } rows; /* w.data NULL: every weight is 1 */
typedef struct { double mid, scale; int degree; const double *pilot; } frame; /* pilot: degree + 1 numbers */

/* Of rows first … first + n − 1, with k = degree + 1 and t_0 … t_degree, r the block's columns:
   Σ t_j·t_0 (k numbers), Σ t_j·t_degree (k), Σ t_j·r (k), Σ r², min x, max x. */
static void fold_sums(const rows *, const frame *, ptrdiff_t first, ptrdiff_t n, double *sums);

/* min x, max x over the rows whose weight is not 0. */
static void fold_range(const rows *, ptrdiff_t first, ptrdiff_t n, double *domain);

/* The triangle of the columns t_0 … t_degree | r, (k + 1) × (k + 1) numbers by rows. */
static void fold_triangle(const rows *, const frame *, ptrdiff_t first, ptrdiff_t n, double *triangle);

#define HUBER 0
#define TUKEY 1
#define CAUCHY 2
#define TALLIES 6

/* A loss by its kind and width c, in units of the scale; low, high: residuals to hand over, high < 0: none. */
typedef struct { int kind; double c, scale, low, high; } discount;

/* As fold_sums, of rows whose weight is multiplied by that of the loss, ψ(a)/a for a = |r|/scale with r the
   residual √w·(y − pilot), and the pilot taken out of y; after the domain: how many rows have a weight w, of
   those how many the loss weighs less than 1/2, Σ ψ², Σ ψ′, Σ ψ′², how many |r| are below low, and how many
   from low to high, which are written to `inside`, room for n + 1. */
static void fold_discounted(const rows *, const frame *, const discount *, ptrdiff_t first, ptrdiff_t n,
                            double *sums, double *inside);
