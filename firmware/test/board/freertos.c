#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "freertos/stream_buffer.h"
#include "freertos/task.h"

#define STREAM_LIMIT 4096
#define POLL_NS 1000000L /* of who waits, instead of a condition for each thing */

static pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;

static void pause_briefly(void) {
  const struct timespec pause = {.tv_nsec = POLL_NS};
  nanosleep(&pause, NULL);
}

/* TASKS */

struct stand_in_task {
  void (*run)(void *context);
  void *context;
  uint32_t notified;
};

static _Thread_local struct stand_in_task *own;

static void *run_task(void *task) {
  own = task;
  own->run(own->context);
  return NULL;
}

BaseType_t xTaskCreate(void (*run)(void *context), const char *name, uint32_t stack, void *context,
                       UBaseType_t priority, TaskHandle_t *task) {
  (void)name;
  (void)stack;
  (void)priority;
  pthread_t thread;
  *task = calloc(1, sizeof **task);
  if (*task == NULL) {
    return pdFAIL;
  }
  (*task)->run = run;
  (*task)->context = context;
  return pthread_create(&thread, NULL, run_task, *task) == 0 && pthread_detach(thread) == 0 ? pdPASS : pdFAIL;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks) {
  (void)clear;
  (void)ticks; /* the board waits for ever */
  for (;;) {
    pthread_mutex_lock(&all);
    uint32_t notified = own->notified;
    own->notified = 0;
    pthread_mutex_unlock(&all);
    if (notified > 0) {
      return notified;
    }
    pause_briefly();
  }
}

BaseType_t xTaskNotifyGive(TaskHandle_t task) {
  pthread_mutex_lock(&all);
  task->notified++;
  pthread_mutex_unlock(&all);
  return pdPASS;
}

/* STREAM BUFFERS */

struct stand_in_stream {
  size_t size;
  size_t begin;
  size_t length;
  bool is_waited_for;
  uint8_t bytes[STREAM_LIMIT];
};

StreamBufferHandle_t xStreamBufferCreate(size_t size, size_t trigger) {
  (void)trigger;
  struct stand_in_stream *stream = calloc(1, sizeof *stream);
  if (stream != NULL) {
    stream->size = size < STREAM_LIMIT ? size : STREAM_LIMIT;
  }
  return stream;
}

size_t xStreamBufferSend(StreamBufferHandle_t stream, const void *bytes, size_t length, TickType_t ticks) {
  (void)ticks; /* the board does not wait */
  size_t sent = 0;
  pthread_mutex_lock(&all);
  for (; sent < length && stream->length < stream->size; sent++) {
    stream->bytes[(stream->begin + stream->length++) % stream->size] = ((const uint8_t *)bytes)[sent];
  }
  pthread_mutex_unlock(&all);
  return sent;
}

static size_t receive(StreamBufferHandle_t stream, uint8_t *bytes, size_t length, bool waits) {
  size_t got = 0;
  pthread_mutex_lock(&all);
  for (; got < length && stream->length > 0; got++, stream->length--) {
    bytes[got] = stream->bytes[stream->begin];
    stream->begin = (stream->begin + 1) % stream->size;
  }
  stream->is_waited_for = waits && got == 0;
  pthread_mutex_unlock(&all);
  return got;
}

size_t xStreamBufferReceive(StreamBufferHandle_t stream, void *bytes, size_t length, TickType_t ticks) {
  for (TickType_t waited = 0; waited < ticks; waited++) {
    size_t got = receive(stream, bytes, length, true);
    if (got > 0) {
      return got;
    }
    pause_briefly();
  }
  return receive(stream, bytes, length, false);
}

BaseType_t xStreamBufferReset(StreamBufferHandle_t stream) {
  pthread_mutex_lock(&all);
  bool is_free = !stream->is_waited_for;
  stream->length = is_free ? 0 : stream->length;
  pthread_mutex_unlock(&all);
  return is_free ? pdPASS : pdFAIL;
}
