// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IWattWitness } from "./IWattWitness.sol";

/// @title What marketplaces show of a meter
/// @notice Metadata as data URLs, made on chain from what the registry says: nobody serves them.
interface IMeterDescriptor {
    /// @notice What is shown of a meter.
    struct Description {
        bytes32 meter;
        /// the current key
        bytes32 keyId;
        /// how many keys it has had
        uint256 keyCount;
        IWattWitness.Status status;
        /// W
        uint32 capacity;
        /// channel and register
        uint8 source;
        /// mWh that tokens were minted for, when that was last told
        uint256 produced;
        /// Unix time, s; 0 = never
        uint32 toldAt;
    }

    /// @notice ERC-721 metadata of a meter, with an SVG image that shows capacity, status and kWh produced.
    function tokenURI(Description calldata description) external pure returns (string memory);

    /// @notice ERC-7572 metadata of the registry.
    function contractURI() external pure returns (string memory);
}
