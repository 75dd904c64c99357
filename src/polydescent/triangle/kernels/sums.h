/* What moments.c offers: read by cffi (setup.py) and by the C compiler alike. */

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
