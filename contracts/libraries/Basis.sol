// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// What an item of a settlement was made for, and where the DON checked it. 32 bytes, big-endian:
///
///  0   8  settledSize       uint64  settled size of this log, 0 = never settled
///  8   4  settledTimestamp  uint32  of the key's latest settled reading: Unix time, s
/// 12   4  capacity          uint32  W, that the segment was checked against, or would have been
/// 16   8  from              uint64  where the segment begins: below settledSize, or 0
/// 24   4  segment           uint32  place of the segment in its batch, from 0
/// 28   4  segments          uint32  segments in the batch
type Basis is bytes32;

using { settledSize, settledTimestamp, capacity, from, segment, segments } for Basis global;

function settledSize(Basis self) pure returns (uint64) {
    return uint64(uint256(Basis.unwrap(self)) >> 192);
}

function settledTimestamp(Basis self) pure returns (uint32) {
    return uint32(uint256(Basis.unwrap(self)) >> 160);
}

function capacity(Basis self) pure returns (uint32) {
    return uint32(uint256(Basis.unwrap(self)) >> 128);
}

function from(Basis self) pure returns (uint64) {
    return uint64(uint256(Basis.unwrap(self)) >> 64);
}

function segment(Basis self) pure returns (uint32) {
    return uint32(uint256(Basis.unwrap(self)) >> 32);
}

function segments(Basis self) pure returns (uint32) {
    return uint32(uint256(Basis.unwrap(self)));
}
