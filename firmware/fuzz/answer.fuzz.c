/**
 * Any answer of an oracle: two bytes of status, then a body. Whatever it says, the device goes on within its log, and takes
 * nothing for stored that the answer does not say is.
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "upload.h"

enum { FIRST = 100, FROM = 150, POSTED = 200, SIZE = 250 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static struct ww_queue queue;
  static struct ww_answer answer;
  struct ww_post post = {.from = FROM, .size = POSTED};
  if (length < 2) {
    return 0;
  }
  queue.first = FIRST;
  queue.state.log.size = SIZE;
  answer.status = data[0] << 8 | data[1];
  answer.length = length - 2 < WW_ANSWER_LIMIT ? length - 2 : WW_ANSWER_LIMIT;
  memcpy(answer.body, data + 2, answer.length);

  uint64_t size = 0;
  enum ww_outcome outcome = ww_answer_outcome(&answer, &post, &queue, &size);
  struct ww_json body, member;
  uint64_t said = 0;
  bool says = ww_json_parse(answer.body, answer.length, &body) && ww_json_member(body, "size", &member) &&
              ww_json_u64(member, &said);
  if ((outcome == WW_STORED && !(answer.status == 200 && says && said >= POSTED)) ||
      (outcome == WW_RESEND && !(answer.status == 409 && size >= FIRST && size <= SIZE && size == said)) ||
      (outcome == WW_LOST && !(answer.status == 409 && says && (said < FIRST || said > SIZE))) ||
      (outcome == WW_REFUSED && answer.status != 422)) {
    abort();
  }
  return 0;
}
