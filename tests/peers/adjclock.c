/* Preload library for OpenNTPD: a clock that obeys and is not the machine's.
 *
 * OpenNTPD asks adjtime() how much of the last correction is left, adds the answer
 * to every reading of the clock, and calls itself synchronised only when nothing
 * is. The launcher noclock makes the kernel say "done" without filling that answer
 * in, so this library fills it in. The launcher stays in place beneath.
 *
 * Freestanding, so that it loads under any version of libc:
 * cc -shared -fPIC -O2 -nostdlib -o adjclock.so adjclock.c
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/time.h>
#include <sys/timex.h>

static long frequency;

int adjtime(const struct timeval *delta, struct timeval *left)
{
    (void)delta;
    if (left != NULL) {
        left->tv_sec = 0;
        left->tv_usec = 0;
    }
    return 0;
}

int adjtimex(struct timex *t)
{
    if (t->modes & ADJ_FREQUENCY) frequency = t->freq;
    t->freq = frequency;
    t->offset = 0;
    t->status = 0;
    t->tick = 10000;
    return TIME_OK;
}

int ntp_adjtime(struct timex *t) { return adjtimex(t); }
