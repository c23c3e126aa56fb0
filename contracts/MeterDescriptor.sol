// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IMeterDescriptor } from "./interfaces/IMeterDescriptor.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Date } from "./libraries/Date.sol";

contract MeterDescriptor is IMeterDescriptor {
    using Strings for uint256;

    string private constant DESCRIPTION =
        "A solar meter whose readings its own key signs. Whoever holds this receives one token for every kWh. What is "
        "settled before a sale is the seller's, what is settled after it is the buyer's, whenever it was produced; "
        "anyone can settle first. A marketplace or escrow that holds it is paid meanwhile, and a sale clears the payout "
        "address. A buyer should rotate it to a key of his own.";

    string private constant COLLECTION =
        '{"name":"WattWitness meters","symbol":"METER","description":"Solar meters whose readings their own keys sign. '
        'Whoever holds a meter receives one token for every kWh that it proves."}';

    /// @inheritdoc IMeterDescriptor
    function tokenURI(Description calldata description) external pure returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"WattWitness meter ',
            _hex(description.meter),
            '","description":"',
            DESCRIPTION,
            '","image":"',
            _url("image/svg+xml", _image(description)),
            '","attributes":[',
            _attributes(description),
            "]}"
        );
        return _url("application/json", json);
    }

    /// @inheritdoc IMeterDescriptor
    function contractURI() external pure returns (string memory) {
        return _url("application/json", bytes(COLLECTION));
    }

    function _attributes(Description calldata description) private pure returns (bytes memory) {
        bytes memory terms = abi.encodePacked(
            '{"trait_type":"capacity","value":',
            uint256(description.capacity).toString(),
            ',"unit":"W"},{"trait_type":"source","value":',
            uint256(description.source).toString(),
            '},{"trait_type":"status","value":"',
            _status(description.status),
            '"},{"trait_type":"key","value":"',
            _hex(description.keyId),
            '"},{"trait_type":"keys","value":',
            description.keyCount.toString()
        );
        return
            abi.encodePacked(
                terms,
                '},{"trait_type":"produced","value":',
                description.produced.toString(),
                ',"unit":"mWh"},{"display_type":"date","trait_type":"produced until","value":',
                uint256(description.toldAt).toString(),
                "}"
            );
    }

    /// A card of 400 x 400.
    function _image(Description calldata description) private pure returns (bytes memory) {
        bytes memory frame = abi.encodePacked(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" font-family="sans-serif" fill="#f4f1e6">'
            '<rect width="400" height="400" fill="#14213d"/><circle cx="330" cy="70" r="36" fill="#fca311"/>'
            '<g font-size="18" fill="#a8b2c8"><text x="32" y="60">WattWitness meter</text><text x="32" y="84">',
            _short(description.meter),
            '</text><text x="32" y="160">produced</text><text x="32" y="270">capacity</text>'
            '<text x="212" y="270">status</text></g>'
        );
        return
            abi.encodePacked(
                frame,
                '<text x="32" y="204" font-size="40">',
                _decimal(description.produced, 1_000_000),
                ' kWh</text><text x="32" y="304" font-size="28">',
                _decimal(description.capacity, 1000),
                ' kW</text><text x="212" y="304" font-size="20">',
                _status(description.status),
                '</text><text x="32" y="364" font-size="18" fill="#a8b2c8">',
                description.toldAt == 0 ? "not told yet" : string.concat("as told on ", Date.iso(description.toldAt)),
                "</text></svg>"
            );
    }

    function _url(string memory mime, bytes memory content) private pure returns (string memory) {
        return string.concat("data:", mime, ";base64,", Base64.encode(content));
    }

    /// With one decimal, rounded down.
    function _decimal(uint256 value, uint256 unit) private pure returns (string memory) {
        return string.concat((value / unit).toString(), ".", (((value % unit) * 10) / unit).toString());
    }

    function _hex(bytes32 id) private pure returns (string memory) {
        return uint256(id).toHexString(32);
    }

    /// The first eight of its 64 digits.
    function _short(bytes32 id) private pure returns (string memory) {
        return string.concat(uint256(uint32(bytes4(id))).toHexString(4), unicode"…");
    }

    function _status(IWattWitness.Status status) private pure returns (string memory) {
        if (status == IWattWitness.Status.Active) return "active";
        if (status == IWattWitness.Status.Frozen) return "frozen";
        return "decommissioned";
    }
}
