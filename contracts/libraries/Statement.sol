// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { Reading } from "./Reading.sol";

/// An ECDSA P-256 public key.
struct PublicKey {
    bytes32 x;
    bytes32 y;
}

/// An ECDSA P-256 signature with SHA-256; s must be low (s <= n / 2).
struct Signature {
    bytes32 r;
    bytes32 s;
}

/// The signed head of a log: its last reading and the root over all of them.
struct Head {
    uint32 epoch;
    uint64 size;
    Reading reading;
    bytes32 root;
}

/// What a chain has at 0x100.
enum Precompile {
    /// nothing that verifies: signatures are verified in Solidity
    Absent,
    /// P256VERIFY
    Working,
    /// something else: it accepts a bad signature, reverts, or answers what P256VERIFY never does. Nothing must be deployed
    /// here
    Broken
}

/// What a key signs. Each statement opens with the 32-byte domain of its kind, so that a signature is worth something
/// on one chain, for one registry, in one role:
///
///   domain(kind)  SHA-256("WattWitness/1 " ‖ kind ‖ chain id u64 ‖ registry 20)
///   head     108  domain(head) 32 ‖ epoch u32 ‖ size u64 ‖ reading 32 ‖ root 32
///   claim    148  domain(claim) 32 ‖ meter 32 ‖ key id 32 ‖ owner 20 ‖ head hash 32
///   rotation  96  domain(rotate) 32 ‖ meter 32 ‖ new key id 32
library Statement {
    /// P256VERIFY of EIP-7951.
    address private constant P256_VERIFY = address(0x100);

    string internal constant HEAD = "head";
    string internal constant CLAIM = "claim";
    string internal constant ROTATE = "rotate";

    function domain(string memory kind, uint256 chainId, address registry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("WattWitness/1 ", kind, uint64(chainId), registry));
    }

    /// SHA-256(x ‖ y): the name of a key, and of the meter that is first registered with it.
    function keyId(PublicKey calldata key) internal view returns (bytes32 hash) {
        // in scratch space, the precompile's answer at 0; as in MerkleLog, because every settlement needs it
        assembly ("memory-safe") {
            calldatacopy(0x00, key, 64)
            if iszero(staticcall(gas(), 2, 0x00, 64, 0x00, 32)) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }

    function headHash(bytes32 headDomain, Head memory head) internal view returns (bytes32 hash) {
        uint256 place = (uint256(head.epoch) << 224) | (uint256(head.size) << 160);
        (Reading reading, bytes32 root) = (head.reading, head.root);
        // beyond the free memory pointer, which stays where it is
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, headDomain)
            mstore(add(buffer, 32), place)
            mstore(add(buffer, 44), reading)
            mstore(add(buffer, 76), root)
            if iszero(staticcall(gas(), 2, buffer, 108, 0x00, 32)) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }

    function claimHash(
        bytes32 claimDomain,
        bytes32 meter,
        bytes32 keyId_,
        address owner,
        bytes32 headHash_
    ) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(claimDomain, meter, keyId_, owner, headHash_));
    }

    function rotationHash(bytes32 rotateDomain, bytes32 meter, bytes32 newKeyId) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(rotateDomain, meter, newKeyId));
    }

    /// Whether `key` signed the statement that hashes to `hash`, with a low s. By the precompile at 0x100 (EIP-7951,
    /// RIP-7212) where the chain has it, else in Solidity, with the same answers.
    function isSigned(bytes32 hash, Signature calldata signature, PublicKey calldata key) internal view returns (bool) {
        return P256.verify(hash, signature.r, signature.s, key.x, key.y);
    }

    /// What is at 0x100, tried with a known-good and a known-bad signature.
    function precompile() internal view returns (Precompile) {
        // SHA-256("123400") signed with r = 5, s = 1: Wycheproof's case of the smallest r and s
        bytes32 hash = 0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023;
        bytes32 x = 0xa71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac957;
        bytes32 y = 0x5d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b;
        (bool answersBad, uint256 onBad) = _ask(abi.encode(hash, 5, 2, x, y));
        (bool answersGood, uint256 onGood) = _ask(abi.encode(hash, 5, 1, x, y));
        if (!answersBad || !answersGood || onBad != 0 || onGood > 1) return Precompile.Broken;
        return onGood == 1 ? Precompile.Working : Precompile.Absent;
    }

    /// The first word of the answer, as P256.verify reads it: nothing is zero.
    function _ask(bytes memory input) private view returns (bool success, uint256 word) {
        bytes memory answer;
        (success, answer) = P256_VERIFY.staticcall(input);
        word = uint256(bytes32(answer));
    }
}
