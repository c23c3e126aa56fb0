// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ILens } from "./interfaces/ILens.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { ISolarPark } from "./interfaces/ISolarPark.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Precompile, Statement } from "./libraries/Statement.sol";

contract Lens is ILens {
    /* STATE */

    /// @inheritdoc ILens
    IWattWitness public immutable wattWitness;

    IMeterRegistry private immutable _registry;

    /* CONSTRUCTION */

    constructor(IWattWitness wattWitness_) {
        wattWitness = wattWitness_;
        _registry = wattWitness_.registry();
    }

    /* VIEWS */

    /// @inheritdoc ILens
    function metersOf(bytes32[] memory meters) public view returns (IMeterRegistry.Meter[] memory found) {
        found = new IMeterRegistry.Meter[](meters.length);
        for (uint256 i = 0; i < meters.length; ++i) {
            if (wattWitness.meterOf(meters[i]) == meters[i]) found[i] = _registry.meterOf(meters[i]);
        }
    }

    /// @inheritdoc ILens
    function metersOfPark(
        ISolarPark park,
        uint256 start,
        uint256 count
    ) external view returns (bytes32[] memory ids, IMeterRegistry.Meter[] memory meters) {
        ids = park.meters(start, count);
        meters = metersOf(ids);
    }

    /// @inheritdoc ILens
    function precompile() external view returns (Precompile) {
        return Statement.precompile();
    }

    /// @inheritdoc ILens
    function energyOf(
        bytes32 meter,
        Span[] calldata spans
    ) external view returns (uint256 energy, uint32 from, uint32 to) {
        require(spans.length != 0, NoSpans());
        for (uint256 i = 0; i < spans.length; ++i) {
            Span calldata span = spans[i];
            require(wattWitness.meterOf(span.keyId) == meter, KeyOfAnother(span.keyId, meter));
            (uint32 start, uint32 end) = (span.start.reading.timestamp(), span.end.reading.timestamp());
            require(start >= to, TimeBackward(i, start, to));
            require(end >= start, TimeBackward(i, end, start));
            if (i == 0) from = start;
            else energy += _between(spans[i - 1], span);
            energy += wattWitness.energyBetween(span.keyId, span.epoch, span.start, span.end);
            to = end;
        }
    }

    /// What the register of the same key rose from one span to the next; a lower one was lost.
    function _between(Span calldata before, Span calldata next) private pure returns (uint64) {
        (uint64 energy, uint64 later) = (before.end.reading.energy(), next.start.reading.energy());
        return before.keyId == next.keyId && later > energy ? later - energy : 0;
    }
}
