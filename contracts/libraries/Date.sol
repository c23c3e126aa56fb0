// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";

/// A day of the Gregorian calendar, for people to read.
library Date {
    using Strings for uint256;

    /// The UTC day of a Unix time (s), as ISO 8601 writes it: 2026-03-20. In years that begin on the 1st of March, so that
    /// a leap day is the last of its year.
    function iso(uint256 timestamp) internal pure returns (string memory) {
        // days since 0000-03-01, and within their cycle of 400 years
        uint256 day = timestamp / 1 days + 719_468;
        uint256 cycle = day / 146_097;
        day %= 146_097;
        uint256 year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        day -= 365 * year + year / 4 - year / 100;
        uint256 month = (5 * day + 2) / 153;
        day -= (153 * month + 2) / 5;
        month = month < 10 ? month + 3 : month - 9;
        year += 400 * cycle + (month < 3 ? 1 : 0);
        return string.concat(year.toString(), "-", _two(month), "-", _two(day + 1));
    }

    function _two(uint256 number) private pure returns (string memory) {
        return string.concat(number < 10 ? "0" : "", number.toString());
    }
}
