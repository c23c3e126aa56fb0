// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Precompile } from "../libraries/Statement.sol";
import { IMeterRegistry } from "./IMeterRegistry.sol";
import { ISolarPark } from "./ISolarPark.sol";
import { IWattWitness } from "./IWattWitness.sol";

/// @title Views over several questions at once
/// @notice For pages and programs that would ask many times. It holds nothing, may do nothing, and knows no more than the
/// contracts that it asks: anyone may deploy another. No answer costs more than its arguments say.
interface ILens {
    /// @notice Two readings of one settled log, of which the second is no earlier.
    struct Span {
        bytes32 keyId;
        uint32 epoch;
        IWattWitness.PlacedReading start;
        IWattWitness.PlacedReading end;
    }

    /// @notice Thrown when there is no span to prove.
    error NoSpans();
    /// @notice Thrown when a span is of another meter's key.
    error KeyOfAnother(bytes32 keyId, bytes32 meter);
    /// @notice Thrown when a span begins before the one before it ends, or ends before it begins.
    error TimeBackward(uint256 span, uint32 timestamp, uint32 earlier);

    /// @notice Where WattWitness keeps its logs.
    function wattWitness() external view returns (IWattWitness);

    /// @notice Meters as they stand; of an id that is not registered all zero.
    function metersOf(bytes32[] calldata meters) external view returns (IMeterRegistry.Meter[] memory);

    /// @notice Meters of a park as they stand: at most `count`, from the one at `start` on (ISolarPark.meters).
    function metersOfPark(
        ISolarPark park,
        uint256 start,
        uint256 count
    ) external view returns (bytes32[] memory ids, IMeterRegistry.Meter[] memory meters);

    /// @notice The canary: what this chain has at 0x100 (P256VERIFY of EIP-7951 and RIP-7212), tried with a known-good and
    /// a known-bad signature. Where it is absent everything works all the same, with more gas for a signature; where it is
    /// broken nothing can be deployed.
    function precompile() external view returns (Precompile);

    /// @notice mWh that a meter produced between two times, over epochs and keys, as its settled readings prove: within
    /// each span, and from one to the next as far as the register of the same key went on.
    /// @dev Reverts, in this order: NoSpans, then per span KeyOfAnother, TimeBackward, and as IWattWitness.energyBetween.
    /// What a span leaves out at its edges is not counted: end one at the last reading of its log, and begin the next at
    /// reading 0, to count everything.
    /// @param spans in order of time
    /// @return energy mWh
    /// @return from of the first reading: Unix time, s
    /// @return to of the last reading: Unix time, s
    function energyOf(
        bytes32 meter,
        Span[] calldata spans
    ) external view returns (uint256 energy, uint32 from, uint32 to);
}
