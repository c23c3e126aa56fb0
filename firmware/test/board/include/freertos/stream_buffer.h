/** A stand-in, not FreeRTOS. */
#ifndef STAND_IN_FREERTOS_STREAM_BUFFER_H
#define STAND_IN_FREERTOS_STREAM_BUFFER_H

#include "freertos/FreeRTOS.h"

typedef struct stand_in_stream *StreamBufferHandle_t;

StreamBufferHandle_t xStreamBufferCreate(size_t size, size_t trigger);
size_t xStreamBufferSend(StreamBufferHandle_t stream, const void *bytes, size_t length, TickType_t ticks);
size_t xStreamBufferReceive(StreamBufferHandle_t stream, void *bytes, size_t length, TickType_t ticks);
BaseType_t xStreamBufferReset(StreamBufferHandle_t stream);

#endif
