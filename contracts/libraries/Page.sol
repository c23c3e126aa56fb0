// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// A part of a list, for views whose cost does not grow with the list.
library Page {
    /// How many of `all` stand at `start` or after, `count` at most.
    function length(uint256 all, uint256 start, uint256 count) internal pure returns (uint256) {
        return Math.min(Math.saturatingSub(all, start), count);
    }
}
