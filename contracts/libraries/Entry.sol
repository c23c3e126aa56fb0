// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// What is known of the certificate that begins with an hour. 85 bits, so that three hours fit a slot:
///
/// 47  38  energy    uint38  mWh, below 275 MWh; 0 = no certificate begins here
///  9  38  redeemed  uint38  mWh of it
///  0   9  span      uint9   hours, below 512
struct Entry {
    uint256 energy;
    uint256 redeemed;
    uint256 span;
}

/// Entries of hours, numbered from the Unix epoch.
library Entries {
    uint256 internal constant ENERGY_LIMIT = 2 ** 38;
    uint256 internal constant SPAN_LIMIT = 2 ** 9;

    uint256 private constant BITS = 85;
    uint256 private constant IN_A_SLOT = 3;

    function entryAt(
        mapping(uint256 slot => uint256) storage entries,
        uint256 hour
    ) internal view returns (Entry memory) {
        uint256 bits = entries[hour / IN_A_SLOT] >> _shift(hour);
        return Entry((bits >> 47) % ENERGY_LIMIT, (bits >> 9) % ENERGY_LIMIT, bits % SPAN_LIMIT);
    }

    /// Each of its numbers is below its limit.
    function put(mapping(uint256 slot => uint256) storage entries, uint256 hour, Entry memory entry) internal {
        uint256 bits = (entry.energy << 47) | (entry.redeemed << 9) | entry.span;
        uint256 shift = _shift(hour);
        uint256 others = entries[hour / IN_A_SLOT] & ~((2 ** BITS - 1) << shift);
        entries[hour / IN_A_SLOT] = others | (bits << shift);
    }

    function _shift(uint256 hour) private pure returns (uint256) {
        return (hour % IN_A_SLOT) * BITS;
    }
}
