void count_codes(const int64_t *codes, int64_t n, int64_t m, int64_t *offsets);
void scatter(const int64_t *codes, int64_t n, int64_t *next, int columns, const double **from,
             double **into);
