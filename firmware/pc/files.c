#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LIMIT = 1100 };

bool file_read(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  size_t length = 0;
  ssize_t got = 1;
  while (got > 0 && length < size) {
    got = read(file, text + length, size - length);
    length += got > 0 ? (size_t)got : 0;
  }
  close(file);
  if (got < 0) {
    return false;
  }
  if (length == size) {
    errno = EFBIG;
    return false;
  }
  text[length] = '\0';
  return true;
}

static bool write_all(int file, const char *text, bool is_durable) {
  size_t length = strlen(text);
  while (length > 0) {
    ssize_t written = write(file, text, length);
    if (written < 0) {
      return false;
    }
    text += written;
    length -= (size_t)written;
  }
  return !is_durable || fsync(file) == 0;
}

/** A renamed file is there after a cut only if its folder is on the disk, too. */
static bool synchronise_folder_of(const char *path) {
  char folder[PATH_LIMIT];
  const char *slash = strrchr(path, '/');
  int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
  snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : path);
  int file = open(folder, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  bool is_done = fsync(file) == 0;
  close(file);
  return is_done;
}

bool file_replace(const char *path, const char *text, bool is_durable) {
  char beside[PATH_LIMIT];
  if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
    errno = ENAMETOOLONG;
    return false;
  }
  int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) {
    return false;
  }
  bool is_written = write_all(file, text, is_durable);
  is_written = close(file) == 0 && is_written;
  return is_written && rename(beside, path) == 0 && (!is_durable || synchronise_folder_of(path));
}
