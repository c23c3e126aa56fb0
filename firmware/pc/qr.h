/** QR codes on a terminal, where libqrencode is there. */
#ifndef WW_QR_H
#define WW_QR_H

#include <stdbool.h>

/** Whether they can be shown at all. */
bool qr_is_there(void);

/** Prints a text as a code of half blocks (UTF-8), for light letters on a dark ground. */
void qr_print(const char *text);

#endif
