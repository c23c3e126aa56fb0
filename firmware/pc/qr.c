#include "qr.h"

#ifdef WW_QR
#include <qrencode.h>
#include <stdio.h>

/** Modules of light around the code. */
#define QUIET 4

bool qr_is_there(void) {
  return true;
}

static bool is_light(const QRcode *code, int x, int y) {
  bool is_inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
  return !is_inside || (code->data[y * code->width + x] & 1) == 0;
}

void qr_print(const char *text) {
  static const char *const BLOCKS[2][2] = {{" ", "▄"}, {"▀", "█"}};
  QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
  if (code == NULL) {
    return;
  }
  for (int y = -QUIET; y < code->width + QUIET; y += 2) {
    for (int x = -QUIET; x < code->width + QUIET; x++) {
      fputs(BLOCKS[is_light(code, x, y)][is_light(code, x, y + 1)], stdout);
    }
    putchar('\n');
  }
  QRcode_free(code);
}
#else
bool qr_is_there(void) {
  return false;
}

void qr_print(const char *text) {
  (void)text;
}
#endif
