/* What curves.c offers: read by cffi (setup.py) and by the C compiler alike. */

#define MAX_DEGREE 62

/* A value of a column: data + curve·step + row·stride; bytes: 8 or 4. data NULL: every value is 1. */
typedef struct { const char *data; ptrdiff_t step, stride; int bytes; } curve_column;

/* offsets NULL: every curve has n rows; else curve i has the rows offsets[i] … offsets[i + 1] − 1. */
typedef struct { curve_column x, y, w; ptrdiff_t n; const int64_t *offsets; } many_curves;

/* Where the results of curve i go: size² numbers of triangle by rows, size − 1 of weights, one each
   of the others. state: SOUND, or what is left to do. */
typedef struct {
    double *triangle, *weights, *lo, *hi, *logs;
    int64_t *n, *omitted;
    int8_t *state;
} folded_curves;

#define SOUND 0     /* sums kept their digits */
#define REFLECTED 1 /* by reflections: the triangle is right, the weights are not there */
#define HARD 2      /* numbers too large or small for either: nothing is there */

/* Triangles of m curves on their domains; n: how many rows each holds, as doubles. */
typedef struct { const double *triangle, *lo, *hi, *n; } stack_of_triangles;

/* Of curves first … last − 1, those of the rows of both on the union of their domains. hard: 1 where
   numbers are too small for it: nothing is there then. */
static void merge_triangles(const stack_of_triangles *, const stack_of_triangles *, int size, ptrdiff_t first,
                            ptrdiff_t last, double *merged, int8_t *hard);

/* Curves first … last − 1. scratch: (3·degree + 12) · most + 3 · 4096 numbers, most the rows of one. */
static void fold_curves(const many_curves *, int degree, ptrdiff_t first, ptrdiff_t last,
                        const folded_curves *, double *scratch);
