// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title What a park says of itself
/// @notice ERC-7572. A contract of its own only because parks have no room for it.
interface IParkDescriptor {
    /// @notice What a park tells.
    struct Description {
        string name;
        string symbol;
        /// SHA-256 of the document that says what a share is
        bytes32 document;
        /// who says who may hold shares; zero = anyone may
        address supervisor;
    }

    /// @notice ERC-7572: what a park is, as a data URL of JSON.
    function contractURI(Description calldata description) external pure returns (string memory);
}
