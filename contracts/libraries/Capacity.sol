// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// How much an installation can produce: its capacity x time. Rounded down, so that no way to part a time into shorter ones
/// makes more of it.
library Capacity {
    /// mWh that `capacity` W make in `time` s.
    function possible(uint32 capacity, uint256 time) internal pure returns (uint256) {
        return (uint256(capacity) * 1000 * time) / 3600;
    }

    /// mWh that a meter can make from `start` to `end`, of which a capacity that was raised at `raisedAt` holds only for
    /// what is later; before that, `before` W did.
    function possibleBetween(
        uint32 capacity,
        uint32 before,
        uint32 raisedAt,
        uint32 start,
        uint32 end
    ) internal pure returns (uint256) {
        uint256 earlier = Math.saturatingSub(Math.min(raisedAt, end), start);
        return possible(capacity, end - start) - possible(uint32(Math.saturatingSub(capacity, before)), earlier);
    }
}
