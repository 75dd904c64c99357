
/* Gradient descent on small losses ‖A·w − b‖², step after step without leaving the registers.

   One curve walks all its steps before the next: its A stays in the nearest cache, by rows for the
   gradient and by columns for the residual, so that both are sums of whole vectors. A run that diverges
   ends in inf and NaN. */

#include <math.h>
#include <stddef.h>

#include "portable.h"

typedef struct {
    double by_rows[MAX_WEIGHTS * MAX_WEIGHTS], by_columns[MAX_WEIGHTS * MAX_WEIGHTS], b[MAX_WEIGHTS];
} one_loss;

/* The loss, and the gradient 2·Aᵀ·(A·w − b). */
INLINE double
look(const int rows, const int k, const one_loss *of, const double *w, double *restrict gradient) {
    double residual[MAX_WEIGHTS], half[MAX_WEIGHTS], loss = 0.0;
    for (int i = 0; i < rows; i++) residual[i] = -of->b[i];
    for (int j = 0; j < k; j++)
        for (int i = 0; i < rows; i++) residual[i] += of->by_columns[j * rows + i] * w[j];
    for (int i = 0; i < rows; i++) loss += residual[i] * residual[i];
    for (int j = 0; j < k; j++) half[j] = 0.0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < k; j++) half[j] += of->by_rows[i * k + j] * residual[i];
    for (int j = 0; j < k; j++) gradient[j] = half[j] + half[j];
    return loss;
}

INLINE void
walk_curve(
    const int rows, const int k, const walk *all, ptrdiff_t curve, const one_loss *of,
    ptrdiff_t begin, ptrdiff_t end
) {
    const ptrdiff_t curves = all->curves, spacing = all->spacing, size = curves * k;
    double *out = all->state + curve * k, *loss = all->loss + begin * curves + curve;
    double w[MAX_WEIGHTS], v[MAX_WEIGHTS], square[MAX_WEIGHTS], g[MAX_WEIGHTS];
    for (int j = 0; j < k; j++) w[j] = out[j], v[j] = out[size + j], square[j] = out[2 * size + j];
    const double *set = all->settings + curve, first = all->first, second = all->second;
    const double rate = set[0], beta = set[curves], ahead = set[2 * curves], carried = set[3 * curves];
    ptrdiff_t until = (begin + spacing - 1) / spacing * spacing - begin; /* the next step to keep */
    double *at = all->kept + (begin + until) / spacing * size + curve * k;
    for (ptrdiff_t t = begin;; t++, until--, loss += curves) {
        *loss = look(rows, k, of, w, g);
        if (until == 0) {
            for (int j = 0; j < k; j++) at[j] = w[j];
            at += size, until = spacing;
        }
        if (t == end) break;
        const double eta = all->scale ? rate * all->scale[t] : rate;
        if (all->is_adam) {
            const double grown = 1.0 - pow(second, (double)(t + 1));
            const double step = eta / (1.0 - pow(first, (double)(t + 1)));
            for (int j = 0; j < k; j++) {
                v[j] = first * v[j] + (1.0 - first) * g[j];
                square[j] = second * square[j] + (1.0 - second) * g[j] * g[j];
                w[j] -= step * v[j] / (sqrt(square[j] / grown) + all->eps);
            }
        } else {
            for (int j = 0; j < k; j++) {
                v[j] = beta * v[j] + g[j];
                w[j] -= eta * (ahead * g[j] + carried * v[j]);
            }
        }
    }
    for (int j = 0; j < k; j++) out[j] = w[j], out[size + j] = v[j], out[2 * size + j] = square[j];
}

FOR_EACH_CPU static void walk_on(const walk *all, ptrdiff_t begin, ptrdiff_t end) {
    const int rows = all->rows, k = all->k;
    one_loss of;
    for (ptrdiff_t curve = 0; curve < all->curves; curve++) {
        const double *A = all->A + curve * all->next_A, *b = all->b + curve * all->next_b;
        for (int i = 0; i < rows; i++) {
            of.b[i] = b[i];
            for (int j = 0; j < k; j++)
                of.by_rows[i * k + j] = of.by_columns[j * rows + i] = A[i * k + j];
        }
        switch (rows == k ? k : 0) { /* sizes the compiler knows stay in registers */
        case 1: walk_curve(1, 1, all, curve, &of, begin, end); break;
        case 2: walk_curve(2, 2, all, curve, &of, begin, end); break;
        case 3: walk_curve(3, 3, all, curve, &of, begin, end); break;
        case 4: walk_curve(4, 4, all, curve, &of, begin, end); break;
        case 5: walk_curve(5, 5, all, curve, &of, begin, end); break;
        case 6: walk_curve(6, 6, all, curve, &of, begin, end); break;
        case 7: walk_curve(7, 7, all, curve, &of, begin, end); break;
        case 8: walk_curve(8, 8, all, curve, &of, begin, end); break;
        case 9: walk_curve(9, 9, all, curve, &of, begin, end); break;
        default: walk_curve(rows, k, all, curve, &of, begin, end);
        }
    }
}
