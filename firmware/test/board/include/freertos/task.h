/** A stand-in, not FreeRTOS. */
#ifndef STAND_IN_FREERTOS_TASK_H
#define STAND_IN_FREERTOS_TASK_H

#include "freertos/FreeRTOS.h"

typedef struct stand_in_task *TaskHandle_t;

BaseType_t xTaskCreate(void (*run)(void *context), const char *name, uint32_t stack, void *context,
                       UBaseType_t priority, TaskHandle_t *task);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);
BaseType_t xTaskNotifyGive(TaskHandle_t task);

#endif
