// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Attestation } from "../libraries/Attestation.sol";
import { MerkleLog } from "../libraries/MerkleLog.sol";
import { Reading } from "../libraries/Reading.sol";
import { Head, PublicKey, Signature, Statement } from "../libraries/Statement.sol";

/// Opens the libraries to the tests.
contract Harness {
    function readingFields(
        Reading reading
    ) external pure returns (uint32 timestamp, uint64 energy, uint8 source, uint8 conditions) {
        return (reading.timestamp(), reading.energy(), reading.source(), reading.conditions());
    }

    function verifyInclusion(
        Reading reading,
        uint256 index,
        uint256 size,
        bytes32[] calldata proof,
        bytes32 root
    ) external view returns (bool) {
        return MerkleLog.verifyInclusion(MerkleLog.leafHash(reading), index, size, proof, root);
    }

    function verifyConsistency(
        uint256 from,
        uint256 to,
        bytes32 fromRoot,
        bytes32 toRoot,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return MerkleLog.verifyConsistency(from, to, fromRoot, toRoot, proof);
    }

    function verifySegment(
        bytes32 keyId_,
        uint32 epoch,
        uint64 from,
        uint32 capacity,
        bytes32 headHash_,
        uint256 segment,
        uint256 segments,
        bytes32[] calldata proof,
        bytes32 root
    ) external view returns (bool) {
        bytes32 leaf = Attestation.leafHash(keyId_, epoch, from, capacity, headHash_);
        return MerkleLog.verifyInclusion(leaf, segment, segments, proof, root);
    }

    function domain(string calldata kind, uint256 chainId, address registry) external pure returns (bytes32) {
        return Statement.domain(kind, chainId, registry);
    }

    function keyId(PublicKey calldata key) external view returns (bytes32) {
        return Statement.keyId(key);
    }

    function headHash(bytes32 headDomain, Head calldata head) external view returns (bytes32) {
        return Statement.headHash(headDomain, head);
    }

    function claimHash(
        bytes32 claimDomain,
        bytes32 meter,
        bytes32 keyId_,
        address owner,
        bytes32 headHash_
    ) external pure returns (bytes32) {
        return Statement.claimHash(claimDomain, meter, keyId_, owner, headHash_);
    }

    function rotationHash(bytes32 rotateDomain, bytes32 meter, bytes32 newKeyId) external pure returns (bytes32) {
        return Statement.rotationHash(rotateDomain, meter, newKeyId);
    }

    function isSigned(bytes32 hash, Signature calldata signature, PublicKey calldata key) external view returns (bool) {
        return Statement.isSigned(hash, signature, key);
    }
}
