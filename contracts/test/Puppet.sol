// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// Stands in the place of contracts, to show what becomes of a chain on which they check nothing: it emits whatever events
/// it is told to, each from the contract that it claims to be of.
contract Puppet {
    struct Event {
        address by;
        bytes32[] topics;
        bytes data;
    }

    /// `beside` is of no consequence: it is what a transaction has in it beside its events.
    function tell(Event[] calldata events, bytes calldata beside) external {
        for (uint256 i = 0; i < events.length; ++i) Puppet(events[i].by).say(events[i].topics, events[i].data);
        beside;
    }

    function say(bytes32[] calldata topics, bytes memory data) external {
        bytes32[4] memory words;
        for (uint256 i = 0; i < topics.length; ++i) words[i] = topics[i];
        (bytes32 a, bytes32 b, bytes32 c, bytes32 d) = (words[0], words[1], words[2], words[3]);
        uint256 count = topics.length;
        assembly {
            let start := add(data, 32)
            let length := mload(data)
            switch count
            case 1 {
                log1(start, length, a)
            }
            case 2 {
                log2(start, length, a, b)
            }
            case 3 {
                log3(start, length, a, b, c)
            }
            default {
                log4(start, length, a, b, c, d)
            }
        }
    }
}
