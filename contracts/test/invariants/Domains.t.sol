// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IMeterRegistry } from "../../interfaces/IMeterRegistry.sol";
import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Devices } from "./Device.t.sol";
import { Life } from "./Life.t.sol";
import { World } from "./World.t.sol";
import { VM } from "./Vm.t.sol";

/// A chain forks off with another id: what was signed for the old one is worth nothing on the new one.
contract DomainsTest is Life {
    error Unexpected();

    uint256 private constant FORK = 424_242;
    uint64 private constant ENERGY = 1000; // mWh

    constructor() World(0) {}

    function setUp() external {
        uint256 device = _readyDevice(1);
        _call(REGISTRAR, address(registry), _registrationCall(device, actors[0], 5000));
        meters.push();
        meters[0].capacity = 5000;
        meters[0].id = devices[device].keyId;
        meters[0].owner = actors[0];
        _open(device, 0);
        _pass(1 hours);
        devices[device].measure(clock, ENERGY, 0);
    }

    function test_theDomainsAreThoseOfTheChain() external {
        uint256[2] memory chains = [block.chainid, FORK];
        for (uint256 i = 0; i < chains.length; ++i) {
            VM.chainId(chains[i]);
            require(registry.headDomain() == Devices.domain("head", address(registry)), Unexpected());
            require(registry.claimDomain() == Devices.domain("claim", address(registry)), Unexpected());
            require(registry.rotateDomain() == Devices.domain("rotate", address(registry)), Unexpected());
        }
    }

    function test_theDomainsChangeWithTheChain() external {
        bytes32[3] memory before = [registry.headDomain(), registry.claimDomain(), registry.rotateDomain()];
        VM.chainId(FORK);
        require(registry.headDomain() != before[0], Unexpected());
        require(registry.claimDomain() != before[1], Unexpected());
        require(registry.rotateDomain() != before[2], Unexpected());
    }

    function test_aHeadOfTheOldChainIsRefusedOnTheNewOne() external {
        bytes memory data = _settlement();
        VM.chainId(FORK);
        (bool success, bytes memory answer) = _call(ANYONE, address(wattWitness), data);
        require(!success && bytes4(answer) == IWattWitness.SignatureInvalid.selector, Unexpected());
        require(token.totalSupply() == 0, Unexpected());
    }

    function test_aHeadOfTheNewChainSettlesOnIt() external {
        VM.chainId(FORK);
        (bool success, ) = _call(ANYONE, address(wattWitness), _settlement());
        require(success && token.totalSupply() == ENERGY * UNITS, Unexpected());
    }

    function test_aHeadOfTheNewChainIsRefusedOnTheOldOne() external {
        uint256 old = block.chainid;
        VM.chainId(FORK);
        bytes memory data = _settlement();
        VM.chainId(old);
        (bool success, bytes memory answer) = _call(ANYONE, address(wattWitness), data);
        require(!success && bytes4(answer) == IWattWitness.SignatureInvalid.selector, Unexpected());
    }

    function test_aClaimOfTheOldChainIsRefusedOnTheNewOne() external {
        bytes memory data = _registrationCall(_readyDevice(2), actors[0], 5000);
        VM.chainId(FORK);
        (bool success, bytes memory answer) = _call(REGISTRAR, address(registry), data);
        require(!success && bytes4(answer) == IMeterRegistry.ClaimInvalid.selector, Unexpected());
    }

    function test_aRotationOfTheOldChainIsRefusedOnTheNewOne() external {
        bytes memory data = _rotationCall(0, _readyDevice(2));
        VM.chainId(FORK);
        (bool success, bytes memory answer) = _call(actors[0], address(registry), data);
        require(!success && bytes4(answer) == IMeterRegistry.RotationInvalid.selector, Unexpected());
    }

    function _settlement() private view returns (bytes memory) {
        uint32 epoch = devices[0].epoch;
        IWattWitness.Settlement[] memory items = new IWattWitness.Settlement[](1);
        items[0] = _item(Choice(true, 0, epoch, devices[0].sizeOf(epoch)));
        return abi.encodeCall(IWattWitness.settle, (bytes32(0), items));
    }

    function _watch(uint256 device) internal override {}
}
