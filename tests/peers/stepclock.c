/* Preload library for the daemon under test: a system clock that somebody else steps.
 *
 * While the file named by $STEPCLOCK is there, every reading of the system clock is five
 * seconds later, or $STEPCLOCK_S seconds. Nothing is set, and no other program sees it.
 *
 * cc -shared -fPIC -O2 -o stepclock.so stepclock.c
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, now);
    if (outcome == 0 && clock == CLOCK_REALTIME) {
        const char *mark = getenv("STEPCLOCK");
        const char *step_s = getenv("STEPCLOCK_S");
        if (mark != NULL && access(mark, F_OK) == 0)
            now->tv_sec += step_s != NULL ? atol(step_s) : 5;
    }
    return outcome;
}
