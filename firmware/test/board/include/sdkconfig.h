/** A stand-in, not ESP-IDF: nothing is configured. */
