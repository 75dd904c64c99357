/* Rows brought together by their codes, in their own order: a counting sort of whole columns. */

/* offsets[c] = how many rows have a code below c, for c = 0 … m. */
void count_codes(const int64_t *codes, int64_t n, int64_t m, int64_t *offsets)
{
    for (int64_t c = 0; c <= m; c++)
        offsets[c] = 0;
    for (int64_t i = 0; i < n; i++)
        offsets[codes[i] + 1]++;
    for (int64_t c = 0; c < m; c++)
        offsets[c + 1] += offsets[c];
}

/* Row i of each column goes to next[codes[i]], which moves on. */
void scatter(const int64_t *codes, int64_t n, int64_t *next, int columns, const double **from,
             double **into)
{
    if (columns == 2) { /* x and y: the common case, without the inner loop */
        const double *x = from[0], *y = from[1];
        double *to_x = into[0], *to_y = into[1];
        for (int64_t i = 0; i < n; i++) {
            int64_t place = next[codes[i]]++;
            to_x[place] = x[i];
            to_y[place] = y[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t place = next[codes[i]]++;
        for (int j = 0; j < columns; j++)
            into[j][place] = from[j][i];
    }
}
