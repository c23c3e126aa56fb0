// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IMeterRegistry } from "../../interfaces/IMeterRegistry.sol";
import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Reading } from "../../libraries/Reading.sol";
import { Device } from "./Device.t.sol";
import { Life } from "./Life.t.sol";
import { Rfc9162 } from "./Rfc9162.t.sol";
import { Book, MeterBook, Rule } from "./World.t.sol";

/// Holds the contracts against the books. Every check reverts with what does not hold.
abstract contract Checks is Life {
    error Broken(string what);

    /* WHILE SOMETHING IS DONE */

    function _watch(uint256 device) internal override {
        bytes32 keyId = devices[device].keyId;
        Book storage book = books[device];
        uint32 timestamp = wattWitness.latestOf(keyId).timestamp;
        if (timestamp < book.seenTimestamp) _violate(Rule.Backward, "a key's latest timestamp went back");
        book.seenTimestamp = timestamp;
        for (uint32 epoch = 0; epoch <= devices[device].epoch; ++epoch) {
            (uint64 size, ) = wattWitness.logOf(keyId, epoch);
            if (size < book.seenSize[epoch]) _violate(Rule.Backward, "a settled log shrank");
            book.seenSize[epoch] = size;
        }
    }

    function checkRule(Rule rule) external view {
        require(bytes(violation[rule]).length == 0, Broken(violation[rule]));
    }

    /* ENERGY AND TOKENS */

    function checkProduction() external view {
        uint256 minted = 0;
        for (uint256 i = 0; i < meters.length; ++i) minted += _checkProductionOf(meters[i]);
        require(token.totalSupply() + token.totalRetired() == minted * UNITS, Broken("minted is not what was signed"));
    }

    function _checkProductionOf(MeterBook storage meter) private view returns (uint256 energy) {
        for (uint256 i = 0; i < meter.keys.length; ++i) {
            uint256 signed = earned(meter.keys[i]);
            IWattWitness.SettledHead memory latest = wattWitness.latestOf(devices[meter.keys[i]].keyId);
            require(latest.produced == signed, Broken("a key's production is not what it signed"));
            energy += signed;
        }
        require(registry.meterOf(meter.id).produced == energy, Broken("a meter's production is not its keys'"));
    }

    function checkSupply() external view {
        uint256 held = 0;
        for (uint256 i = 0; i < actors.length; ++i) {
            uint256 balance = token.balanceOf(actors[i]);
            require(balance == balanceBook[actors[i]], Broken("somebody holds what he did not receive"));
            held += balance;
        }
        require(token.totalSupply() == held, Broken("the supply is not what the actors hold"));
        require(token.totalRetired() == retiredBook, Broken("retired is not what they retired"));
    }

    /* LOGS */

    function checkLogs() external view {
        for (uint256 i = 0; i < devices.length; ++i) _checkLogsOf(i);
    }

    function _checkLogsOf(uint256 device) private view {
        Book storage book = books[device];
        bytes32 keyId = devices[device].keyId;
        for (uint32 epoch = 0; epoch <= devices[device].epoch; ++epoch) {
            (uint64 size, ) = wattWitness.logOf(keyId, epoch);
            require(size == book.settled[epoch], Broken("a settled size is not what was settled"));
        }
        IWattWitness.SettledHead memory latest = wattWitness.latestOf(keyId);
        require(latest.timestamp == book.timestamp, Broken("the latest timestamp is not what was settled"));
    }

    /// One reading of every log where `all`, of one key's else.
    function checkReadings(uint256 seed, bool all) external view {
        if (devices.length == 0) return;
        uint256 chosen = _roll(seed, "device", devices.length);
        for (uint256 i = 0; i < devices.length; ++i) if (all || i == chosen) _checkReadingsOf(i, seed);
    }

    function _checkReadingsOf(uint256 device, uint256 seed) private view {
        for (uint32 epoch = 0; epoch <= devices[device].epoch; ++epoch) {
            uint64 size = books[device].settled[epoch];
            if (size == 0) continue;
            _checkReading(device, epoch, uint64(_roll(seed, "index", size)));
            _checkReading(device, epoch, 0);
            _checkReading(device, epoch, size - 1);
        }
    }

    function _checkReading(uint256 device, uint32 epoch, uint64 index) private view {
        bytes32 keyId = devices[device].keyId;
        IWattWitness.PlacedReading memory placed;
        placed.index = index;
        placed.reading = Reading.wrap(devices[device].readingAt(epoch, index));
        placed.proof = Rfc9162.inclusion(devices[device].leaves(epoch, books[device].settled[epoch]), index);
        bool counts = _isWithin(devices[device].timestampAt(epoch, index), books[device]);
        bool isProven = wattWitness.verifyReading(keyId, epoch, placed);
        require(isProven || !counts, Broken("a settled reading is not provable"));
        require(counts || !isProven, Broken("a reading is proven that is outside its key's interval"));
        placed.reading = Reading.wrap(~Reading.unwrap(placed.reading));
        require(!wattWitness.verifyReading(keyId, epoch, placed), Broken("another reading is proven"));
    }

    function _isWithin(uint32 timestamp, Book storage book) private view returns (bool) {
        return timestamp >= book.since && (book.until == 0 || timestamp < book.until);
    }

    /* KEYS */

    function checkKeys() external view {
        for (uint256 i = 0; i < devices.length; ++i) {
            bytes32 meter = _isRegistered(i) ? meters[books[i].meter].id : bytes32(0);
            require(registry.meterOfKey(devices[i].keyId) == meter, Broken("a key is of another meter"));
        }
        for (uint256 i = 0; i < meters.length; ++i) _checkKeysOf(meters[i]);
    }

    function _checkKeysOf(MeterBook storage meter) private view {
        IMeterRegistry.Key[] memory keys = registry.keysOf(meter.id, 0, meter.keys.length + 1);
        require(keys.length == meter.keys.length, Broken("a meter has other keys"));
        uint256 last = keys.length - 1;
        for (uint256 i = 0; i < keys.length; ++i) {
            Device storage device = devices[meter.keys[i]];
            Book storage book = books[meter.keys[i]];
            IMeterRegistry.Key memory key = keys[i];
            require(key.keyId == device.keyId, Broken("a meter has another key"));
            require(key.since == book.since && key.until == book.until, Broken("a key has another interval"));
            require((key.until == 0) == (i == last && !meter.isDown), Broken("a meter has not one current key"));
            require(i == last || key.until <= keys[i + 1].since, Broken("intervals overlap"));
            require(wattWitness.termsOf(key.keyId).status == book.status, Broken("a key has another status"));
        }
        require(registry.keyOf(meter.id) == keys[last].keyId, Broken("a meter's current key is another"));
        require(registry.ownerOf(uint256(meter.id)) == meter.owner, Broken("a meter's owner is another"));
        IWattWitness.Terms memory terms = wattWitness.termsOf(keys[last].keyId);
        require(terms.payee == meter.payee, Broken("a meter's payee is another"));
        require(terms.capacity == meter.capacity, Broken("a meter's capacity is another"));
    }
}
