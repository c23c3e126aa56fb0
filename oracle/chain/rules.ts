/** Numbers of the contracts that decide what the oracle takes and sends: see WattWitness and MeterRegistry. */

/** s that a reading may be ahead of the clock */
export const CLOCK_TOLERANCE = 300;
/** Conditions that do not block a head: energy repeated (bit 1), step not counted (bit 2). */
export const HARMLESS_CONDITIONS = 0x06;
/** s that a baseline may be behind the clock: the registrar is a person */
export const BASELINE_AGE = 7 * 24 * 3600;
/** Epochs that a new one may be above the last settled, and that are looked at below an earlier one for a settled. */
export const EPOCH_STRIDE = 64;
