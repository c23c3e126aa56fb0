// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// What is known of the certificate that begins with an hour. 16 bytes, so that two hours fit a slot:
///
///  0  7  energy    uint56  mWh; 0 = no certificate begins here
///  7  7  redeemed  uint56  mWh of it
/// 14  2  span      uint16  hours
type Entry is uint128;

using { energy, redeemed, span } for Entry global;

function entryOf(uint56 energy_, uint56 redeemed_, uint16 span_) pure returns (Entry) {
    return Entry.wrap((uint128(energy_) << 72) | (uint128(redeemed_) << 16) | span_);
}

function energy(Entry self) pure returns (uint56) {
    return uint56(Entry.unwrap(self) >> 72);
}

function redeemed(Entry self) pure returns (uint56) {
    return uint56(Entry.unwrap(self) >> 16);
}

function span(Entry self) pure returns (uint16) {
    return uint16(Entry.unwrap(self));
}
