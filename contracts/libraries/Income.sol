// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// One kind of income that shares divide.
struct Kind {
    /// units that are here and that the shares have been told of: received - claimed
    uint96 held;
    /// 2^-32 units that did not divide, below the number of shares
    uint32 carry;
    /// 2^-32 units that one share has ever received
    uint128 perShare;
}

/// What one holder has of one kind.
struct Part {
    /// the kind's, when this was last brought up to date
    uint128 perShare;
    /// 2^-32 units that are his, and that he has not claimed
    uint128 accrued;
}

/// Divides what comes in among shares, exactly. Everything is counted in 2^-32 units, and there are fewer than 2^32 shares:
/// so less than one unit of all that ever came in is not yet a share's, and it is carried into the next division. Of a
/// kind, at any time,
///
///     held * 2^32 = sum of all that accrued + carry
library Income {
    uint256 internal constant SCALE = 2 ** 32;
    /// There are fewer shares than this.
    uint256 internal constant SHARES_LIMIT = 2 ** 32;

    /// The kind, with as much of `amount` as there is room for. `shares` is not zero.
    function add(Kind memory kind, uint256 amount, uint256 shares) internal pure returns (Kind memory) {
        uint256 fits = room(kind, shares);
        if (amount > fits) amount = fits;
        (uint256 each, uint256 rest) = divide(amount, kind.carry, shares);
        // what fits is below 2^96 and divides to less than perShare has left
        return Kind(kind.held + uint96(amount), uint32(rest), kind.perShare + uint128(each));
    }

    /// What each of `shares` receives of `amount` units and what was carried, and what is carried on; in 2^-32 units.
    function divide(uint256 amount, uint256 carry, uint256 shares) internal pure returns (uint256 each, uint256 rest) {
        uint256 total = amount * SCALE + carry;
        return (total / shares, total % shares);
    }

    /// The most units that a kind can take: a token that says it has more than there is of anything stops no transfer.
    function room(Kind memory kind, uint256 shares) internal pure returns (uint256) {
        uint256 left = type(uint128).max - kind.perShare;
        // of a whole unit each share receives at most 2^32 / shares, and of the carry less than 1
        uint256 divisible = left == 0 ? 0 : ((left - 1) * shares) / SCALE;
        return Math.min(type(uint96).max - kind.held, divisible);
    }

    /// A holder's part, brought up to date: what came in since is his for the `shares` that he had all that time.
    function accrue(Part memory part, uint128 perShare, uint256 shares) internal pure returns (Part memory) {
        uint256 more = uint256(perShare - part.perShare) * shares;
        // at most held * 2^32
        return Part(perShare, part.accrued + uint128(more));
    }

    /// Whole units that a holder can claim.
    function claimable(Part memory part) internal pure returns (uint256) {
        return part.accrued / SCALE;
    }
}
