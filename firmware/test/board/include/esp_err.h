/** What of ESP-IDF the board's ports need to be compiled here: a stand-in, not ESP-IDF. */
#ifndef STAND_IN_ESP_ERR_H
#define STAND_IN_ESP_ERR_H

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_NOT_SUPPORTED 0x106

#endif
