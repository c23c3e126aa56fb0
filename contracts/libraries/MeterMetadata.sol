// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IMeterRegistry } from "../interfaces/IMeterRegistry.sol";
import { IWattWitness } from "../interfaces/IWattWitness.sol";

/// ERC-721 metadata of a meter, as a data URL: what marketplaces show of it.
library MeterMetadata {
    using Strings for uint256;

    string private constant DESCRIPTION =
        "A solar meter whose readings its own key signs. Whoever holds this receives one token for every kWh. What is "
        "settled before a sale is the seller's, what is settled after it is the buyer's, whenever it was produced; "
        "anyone can settle first. A marketplace or escrow that holds it is paid meanwhile, and a sale clears the payout "
        "address. A buyer should rotate it to a key of his own.";

    function tokenURI(
        bytes32 meter,
        IWattWitness.Terms memory terms,
        IMeterRegistry.Key[] memory keys
    ) internal pure returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"WattWitness meter ',
            _hex(meter),
            '","description":"',
            DESCRIPTION,
            '","attributes":[{"trait_type":"capacity","value":',
            uint256(terms.capacity).toString(),
            ',"unit":"W"},{"trait_type":"source","value":',
            uint256(terms.source).toString(),
            '},{"trait_type":"status","value":"',
            _status(terms.status),
            '"},{"trait_type":"keys","value":',
            keys.length.toString(),
            '}],"keys":[',
            _keys(keys),
            "]}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    function _keys(IMeterRegistry.Key[] memory keys) private pure returns (bytes memory json) {
        for (uint256 i = 0; i < keys.length; ++i) {
            IMeterRegistry.Key memory key = keys[i];
            json = abi.encodePacked(
                json,
                i == 0 ? '{"keyId":"' : ',{"keyId":"',
                _hex(key.keyId),
                '","since":',
                uint256(key.since).toString(),
                ',"until":',
                key.until == 0 ? "null" : uint256(key.until).toString(),
                "}"
            );
        }
    }

    function _hex(bytes32 id) private pure returns (string memory) {
        return uint256(id).toHexString(32);
    }

    function _status(IWattWitness.Status status) private pure returns (string memory) {
        if (status == IWattWitness.Status.Active) return "active";
        if (status == IWattWitness.Status.Frozen) return "frozen";
        return "decommissioned";
    }
}
