/** Small files that are there as a whole or not at all. */
#ifndef WW_FILES_H
#define WW_FILES_H

#include <stdbool.h>
#include <stddef.h>

/** Reads a file of fewer than `size` bytes as text. Returns false with errno set; EFBIG where it is longer. */
bool file_read(const char *path, char *text, size_t size);

/** Writes a file that only its owner reads, beside its name, and renames it. Returns false with errno set. */
bool file_replace(const char *path, const char *text, bool is_durable);

#endif
