/** Tells what is there of a secure element, step by step, and at the first thing that is amiss what to do. */
#ifndef WW_DOCTOR_H
#define WW_DOCTOR_H

/** `path`: the bus, such as /dev/i2c-1. It changes nothing. Returns the exit code: 0 = it may sign for a meter. */
int doctor(const char *path);

#endif
