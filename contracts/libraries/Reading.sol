// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// A reading: what the meter measured at one moment, and a leaf of its log. 32 bytes, big-endian:
///
///  0   4  timestamp    uint32  Unix time, s
///  4   8  energy       uint64  mWh, cumulative production, never decreases
/// 12   8  power        int64   mW, production positive
/// 20   4  voltage      uint32  mV, 0xFFFFFFFF = not measured
/// 24   4  current      uint32  mA, 0xFFFFFFFF = not measured
/// 28   2  temperature  int16   0.01 °C, -32768 = not measured
/// 30   1  source       uint8   bits 0-3 channel, bit 4 export register
/// 31   1  conditions   uint8   bit 0 drifting, 1 invalid, 2 discontinuous, 3 tamper
type Reading is bytes32;

using { timestamp, energy, source, conditions } for Reading global;

function timestamp(Reading self) pure returns (uint32) {
    return uint32(uint256(Reading.unwrap(self)) >> 224);
}

function energy(Reading self) pure returns (uint64) {
    return uint64(uint256(Reading.unwrap(self)) >> 160);
}

function source(Reading self) pure returns (uint8) {
    return uint8(uint256(Reading.unwrap(self)) >> 8);
}

function conditions(Reading self) pure returns (uint8) {
    return uint8(uint256(Reading.unwrap(self)));
}

// A head is settled only if its reading has none but these conditions: energy repeated (bit 1), step not counted
// (bit 2). A drifting clock (bit 0), an opened enclosure (bit 3) and reserved bits block it.
uint8 constant HARMLESS_CONDITIONS = 0x06;

// Sources above this have a reserved bit.
uint8 constant SOURCE_LIMIT = 0x1F;
