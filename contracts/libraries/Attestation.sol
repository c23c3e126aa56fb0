// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// What the DON vouches for: the RFC 9162 tree over the segments of a batch, in the order of the file.
///
///   leaf  SHA-256(0x00 ‖ key id 32 ‖ epoch u32 ‖ from u64 ‖ capacity u32 ‖ head hash 32)
library Attestation {
    function leafHash(
        bytes32 keyId,
        uint32 epoch,
        uint64 from,
        uint32 capacity,
        bytes32 headHash
    ) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0), keyId, epoch, from, capacity, headHash));
    }
}
