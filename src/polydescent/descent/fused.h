/* What fused.c offers: read by cffi (setup.py) and by the C compiler alike. */

#define MAX_WEIGHTS 64

/* A walk of curves side by side, each down a loss ‖A·w − b‖²: A is rows × k by rows, b has `rows`
   numbers; from one curve to the next they lie next_A and next_b numbers apart, 0 where all share them.

   settings: η, β, ahead and carried of each curve, 4 × curves numbers. Linear: v ← β·v + g;
   w ← w − η·(ahead·g + carried·v). Adam: v is the mean of g, and the third part of `state` that of g².
   scale, of η at each step, may be NULL. state: w, v and that, 3 × curves × k numbers.

   The loss before step t goes to loss[t·curves + curve], the weights before every `spacing`th step,
   curves × k numbers, to `kept`. */
typedef struct {
    ptrdiff_t curves, spacing;
    int rows, k; /* at most MAX_WEIGHTS each */
    const double *A, *b;
    ptrdiff_t next_A, next_b;
    int is_adam;
    double first, second, eps;
    const double *settings, *scale;
    double *state, *loss, *kept;
} walk;

/* Take the steps from `begin` up to `end`, at which the loss is looked at and no step taken. */
static void walk_on(const walk *, ptrdiff_t begin, ptrdiff_t end);
