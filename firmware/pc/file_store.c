#include "file_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char problem[1400];

static const char *problem_with(const char *path, const char *what) {
  snprintf(problem, sizeof problem, "%s: %s.", path, what);
  return problem;
}

static enum ww_error put(const struct file_store *store, uint32_t address, const void *bytes, size_t length) {
  const uint8_t *rest = bytes;
  off_t at = (off_t)address;
  while (length > 0) {
    ssize_t written = pwrite(store->file, rest, length, at);
    if (written <= 0) {
      return WW_STORE_FAILED;
    }
    rest += written;
    at += written;
    length -= (size_t)written;
  }
  return store->is_durable && fsync(store->file) != 0 ? WW_STORE_FAILED : WW_OK;
}

static enum ww_error store_read(void *context, uint32_t address, void *bytes, size_t length) {
  const struct file_store *store = context;
  ssize_t got = pread(store->file, bytes, length, (off_t)address);
  return got >= 0 && (size_t)got == length ? WW_OK : WW_STORE_FAILED;
}

static enum ww_error store_write(void *context, uint32_t address, const void *bytes, size_t length) {
  return put(context, address, bytes, length);
}

static enum ww_error store_erase(void *context, uint32_t sector) {
  uint8_t blank[FILE_STORE_SECTOR];
  memset(blank, 0xFF, sizeof blank);
  return put(context, sector * FILE_STORE_SECTOR, blank, sizeof blank);
}

static enum ww_error store_is_blank(void *context, uint32_t address, size_t length, bool *blank) {
  uint8_t bytes[256];
  *blank = true;
  while (length > 0 && *blank) {
    size_t part = length < sizeof bytes ? length : sizeof bytes;
    WW_TRY(store_read(context, address, bytes, part));
    for (size_t i = 0; i < part; i++) {
      *blank = *blank && bytes[i] == 0xFF;
    }
    address += (uint32_t)part;
    length -= part;
  }
  return WW_OK;
}

static bool lock(int file) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, F_SETLK, &whole) == 0;
}

/** Goes on where making it was cut short: as far as it goes it is blank then. */
static const char *make(struct file_store *store, const char *path, off_t size) {
  bool blank;
  if (store_is_blank(store, 0, (size_t)size, &blank) != WW_OK) {
    return problem_with(path, "cannot be read");
  }
  if (!blank) {
    return problem_with(path, "was made with fewer sectors: give --sectors as it was then");
  }
  for (uint32_t sector = (uint32_t)(size / (off_t)FILE_STORE_SECTOR); sector < store->sectors; sector++) {
    if (store_erase(store, sector) != WW_OK) {
      return problem_with(path, strerror(errno));
    }
  }
  return NULL;
}

const char *file_store_open(struct file_store *store, const char *path, uint32_t sectors, bool is_durable) {
  struct stat status;
  *store = (struct file_store){.sectors = sectors};
  store->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->file < 0 || fstat(store->file, &status) != 0) {
    return problem_with(path, strerror(errno));
  }
  if (!lock(store->file)) {
    return problem_with(path, "another wattwitness-device has it: end that one, or take another --data");
  }
  off_t whole = (off_t)sectors * (off_t)FILE_STORE_SECTOR;
  if (status.st_size > whole) {
    return problem_with(path, "was made with more sectors: give --sectors as it was then");
  }
  const char *why_not = status.st_size < whole ? make(store, path, status.st_size) : NULL;
  store->is_durable = is_durable;
  if (why_not == NULL && is_durable && fsync(store->file) != 0) {
    return problem_with(path, strerror(errno));
  }
  return why_not;
}

void file_store_close(struct file_store *store) {
  close(store->file);
}

struct ww_store_port file_store_port(struct file_store *store) {
  return (struct ww_store_port){
      .context = store,
      .sector_size = FILE_STORE_SECTOR,
      .sectors = store->sectors,
      .read = store_read,
      .write = store_write,
      .erase = store_erase,
      .is_blank = store_is_blank,
  };
}
