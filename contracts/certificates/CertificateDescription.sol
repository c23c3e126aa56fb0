// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IHourlyCertificates } from "../interfaces/IHourlyCertificates.sol";
import { Date } from "../libraries/Date.sol";

/// What a certificate says, as ERC-1155's metadata: `properties` has the fields of an EnergyTag granular certificate bundle
/// by their names there, face_value in whole Wh, rounded down, and energy_mwh exact. The meter's `details` document, of
/// which the registry has the hash, says technology and place, where somebody put it on chain.
library CertificateDescription {
    using Strings for uint256;

    function uri(
        IHourlyCertificates.Certificate memory certificate,
        uint32 capacity,
        bytes32 detailsHash,
        bytes memory details
    ) internal view returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"',
            _name(certificate),
            '","description":"Electricity that a meter\'s own key says it produced in this time. Amounts are in mWh.",'
            '"decimals":0,"properties":{',
            _device(certificate.meter, capacity),
            _production(certificate),
            _details(detailsHash, details),
            "}}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    function _name(IHourlyCertificates.Certificate memory certificate) private pure returns (bytes memory) {
        uint256 wattHours = certificate.energy / 1000;
        bytes memory time = abi.encodePacked(_time(certificate.start), " to ", _time(certificate.end));
        return abi.encodePacked(wattHours.toString(), " Wh, ", time);
    }

    function _device(bytes32 meter, uint32 capacity) private view returns (bytes memory) {
        return
            abi.encodePacked(
                '"device_id":"',
                uint256(meter).toHexString(32),
                '","device_capacity":',
                uint256(capacity).toString(),
                ',"energy_carrier":"electricity","issuing_body":"eip155:',
                block.chainid.toString(),
                ":",
                Strings.toChecksumHexString(address(this)),
                '",'
            );
    }

    function _production(IHourlyCertificates.Certificate memory certificate) private pure returns (bytes memory) {
        bytes memory time = abi.encodePacked(
            '"production_starting_interval":"',
            _time(certificate.start),
            '","production_ending_interval":"',
            _time(certificate.end),
            '",'
        );
        return
            abi.encodePacked(
                time,
                '"face_value":',
                uint256(certificate.energy / 1000).toString(),
                ',"energy_mwh":"',
                uint256(certificate.energy).toString(),
                '","redeemed_mwh":"',
                uint256(certificate.redeemed).toString(),
                '","certificate_bundle_status":"',
                certificate.redeemed == certificate.energy ? "Cancelled" : "Active",
                '",'
            );
    }

    /// The document as a data URL, so that whatever it holds stays within its string.
    function _details(bytes32 hash, bytes memory document) private pure returns (bytes memory) {
        string memory url =
            document.length == 0 ? "" : string.concat("data:application/json;base64,", Base64.encode(document));
        return abi.encodePacked('"details_hash":"', uint256(hash).toHexString(32), '","details":"', url, '"');
    }

    /// A full hour, as ISO 8601 writes it: 2026-03-20T10:00:00Z.
    function _time(uint256 timestamp) private pure returns (string memory) {
        uint256 hour = (timestamp / 1 hours) % 24;
        return string.concat(Date.iso(timestamp), hour < 10 ? "T0" : "T", hour.toString(), ":00:00Z");
    }
}
