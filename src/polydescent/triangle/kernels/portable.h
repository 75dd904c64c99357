/* What compilers call differently. CPUS, where a file defines it first: those that its functions are
   compiled for, since one build serves every x86-64: GCC compiles them so many times and the loader
   picks. */

#ifndef CPUS
#define CPUS "avx512f", "fma", "default"
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones(CPUS)))
#else
#define FOR_EACH_CPU
#endif
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline)) /* so that each clone has its own copy */
#else
#define INLINE static inline
#endif
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif
