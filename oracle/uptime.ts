/** s since this process began, by a clock that nobody sets: it neither steps back nor leaps. */
export const uptime = (): number => performance.now() / 1000;
