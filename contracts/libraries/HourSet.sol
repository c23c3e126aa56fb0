// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// Hours, each there or not: a bit each, numbered from the Unix epoch, 256 in a word.
library HourSet {
    /// Whether none of the `count` hours from `first` on is in the set.
    function isFree(
        mapping(uint256 word => uint256) storage set,
        uint256 first,
        uint256 count
    ) internal view returns (bool) {
        uint256 end = first + count;
        for (uint256 hour = first; hour < end;) {
            (uint256 bits, uint256 next) = within(hour, end);
            if (set[hour / 256] & bits != 0) return false;
            hour = next;
        }
        return true;
    }

    /// Puts the `count` hours from `first` on into the set, or takes them out: each becomes what it was not.
    function flip(mapping(uint256 word => uint256) storage set, uint256 first, uint256 count) internal {
        uint256 end = first + count;
        for (uint256 hour = first; hour < end;) {
            (uint256 bits, uint256 next) = within(hour, end);
            set[hour / 256] ^= bits;
            hour = next;
        }
    }

    /// The bits of the hours from `hour` to before `end` that are in the word of `hour`, and the hour after them.
    function within(uint256 hour, uint256 end) internal pure returns (uint256 bits, uint256 next) {
        next = beyond(hour, end);
        bits = (type(uint256).max >> (256 - (next - hour))) << (hour % 256);
    }

    /// The hour after those from `hour` to before `end` that are in the word of `hour`.
    function beyond(uint256 hour, uint256 end) internal pure returns (uint256 next) {
        next = (hour / 256 + 1) * 256;
        if (next > end) next = end;
    }
}
