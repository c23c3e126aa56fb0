// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Reading } from "../../libraries/Reading.sol";
import { Head, PublicKey, Signature } from "../../libraries/Statement.sol";
import { Rfc9162 } from "./Rfc9162.t.sol";
import { VM } from "./Vm.t.sol";

/// What a secure element and the firmware beside it hold.
struct Device {
    uint256 privateKey;
    PublicKey key;
    bytes32 keyId;
    /// s that its clock is ahead
    uint32 skew;
    /// of the log it writes
    uint32 epoch;
    /// of its last reading
    uint32 timestamp;
    /// its register, mWh
    uint64 energy;
    mapping(uint32 epoch => bytes32[]) logs;
}

using Devices for Device global;

/// A meter in software: it measures, keeps logs and signs statements, and shares no code with the contracts.
library Devices {
    uint8 internal constant SOURCE = 0x10;
    uint256 private constant ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;

    function provision(Device storage self, uint256 secret, uint32 epoch, uint32 skew) internal {
        self.privateKey = (uint256(keccak256(abi.encode("device", secret))) % (ORDER - 1)) + 1;
        (uint256 x, uint256 y) = VM.publicKeyP256(self.privateKey);
        self.key = PublicKey(bytes32(x), bytes32(y));
        self.keyId = sha256(bytes.concat(bytes32(x), bytes32(y)));
        self.epoch = epoch;
        self.skew = skew;
    }

    /* MEASURING */

    function measure(Device storage self, uint32 timestamp, uint64 gain, uint8 conditions) internal {
        self.energy += gain;
        self.timestamp = timestamp;
        self.logs[self.epoch].push(encodeReading(timestamp, self.energy, SOURCE, conditions));
    }

    function beginEpoch(Device storage self, bool losesRegister) internal {
        ++self.epoch;
        if (losesRegister) self.energy = 0;
    }

    function encodeReading(
        uint32 timestamp,
        uint64 energy,
        uint8 source,
        uint8 conditions
    ) internal pure returns (bytes32) {
        bytes memory electrical = abi.encodePacked(int64(3_600_000), uint32(230_000), uint32(15_652), int16(2150));
        return bytes32(abi.encodePacked(timestamp, energy, electrical, source, conditions));
    }

    /* LOGS */

    function sizeOf(Device storage self, uint32 epoch) internal view returns (uint64) {
        return uint64(self.logs[epoch].length);
    }

    function readingAt(Device storage self, uint32 epoch, uint64 index) internal view returns (bytes32) {
        return self.logs[epoch][index];
    }

    function timestampAt(Device storage self, uint32 epoch, uint64 index) internal view returns (uint32) {
        return uint32(bytes4(self.logs[epoch][index]));
    }

    function energyAt(Device storage self, uint32 epoch, uint64 index) internal view returns (uint64) {
        return uint64(bytes8(self.logs[epoch][index] << 32));
    }

    function conditionsAt(Device storage self, uint32 epoch, uint64 index) internal view returns (uint8) {
        return uint8(self.logs[epoch][index][31]);
    }

    function leaves(Device storage self, uint32 epoch, uint64 size) internal view returns (bytes32[] memory hashes) {
        hashes = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) hashes[i] = leafOf(self.logs[epoch][i]);
    }

    function leafOf(bytes32 reading) internal pure returns (bytes32) {
        return Rfc9162.leafHash(bytes.concat(reading));
    }

    function head(Device storage self, uint32 epoch, uint64 size) internal view returns (Head memory) {
        bytes32 root = Rfc9162.root(self.leaves(epoch, size));
        return Head(epoch, size, Reading.wrap(self.logs[epoch][size - 1]), root);
    }

    /* STATEMENTS */

    function domain(bytes memory kind, address registry) internal view returns (bytes32) {
        return sha256(bytes.concat("WattWitness/1 ", kind, bytes8(uint64(block.chainid)), bytes20(registry)));
    }

    function headHash(address registry, Head memory signed) internal view returns (bytes32) {
        bytes memory place = bytes.concat(bytes4(signed.epoch), bytes8(signed.size));
        return sha256(bytes.concat(domain("head", registry), place, Reading.unwrap(signed.reading), signed.root));
    }

    function signHead(
        Device storage self,
        address registry,
        Head memory signed
    ) internal view returns (Signature memory) {
        return self.sign(headHash(registry, signed));
    }

    function signClaim(
        Device storage self,
        address registry,
        bytes32 meter,
        address owner,
        Head memory baseline
    ) internal view returns (Signature memory) {
        bytes memory names = bytes.concat(domain("claim", registry), meter, self.keyId, bytes20(owner));
        return self.sign(sha256(bytes.concat(names, headHash(registry, baseline))));
    }

    function signRotation(
        Device storage self,
        address registry,
        bytes32 meter,
        bytes32 newKeyId
    ) internal view returns (Signature memory) {
        return self.sign(sha256(bytes.concat(domain("rotate", registry), meter, newKeyId)));
    }

    /// With a low s.
    function sign(Device storage self, bytes32 hash) internal view returns (Signature memory) {
        (bytes32 r, bytes32 s) = VM.signP256(self.privateKey, hash);
        return uint256(s) > ORDER / 2 ? Signature(r, bytes32(ORDER - uint256(s))) : Signature(r, s);
    }

    /// The same signature with the other s.
    function flip(Signature memory signature) internal pure returns (Signature memory) {
        return Signature(signature.r, bytes32(ORDER - uint256(signature.s)));
    }
}
