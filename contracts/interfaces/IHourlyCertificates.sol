// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC1155 } from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import { IProductionToken } from "./IProductionToken.sol";
import { IWattWitness } from "./IWattWitness.sol";

/// @title Certificates of what a meter produced in an hour
/// @notice ERC-1155: an id is a meter and an hour, and its amount is that hour's energy in mWh, as the readings at both full
/// hours prove under the meter's own settled logs. Each hour of a meter is issued once. The tokens beneath are taken from
/// whoever issues, and kept here until the certificate is redeemed, and they with it, or un-issued. So at any time
///
///     free tokens + 10^12 x certificates + retired tokens = minted tokens
///
/// There is no owner, no role and no issuer of its own here. Where the reading at a full hour is missing, the shortest span
/// of whole hours that is proven is one certificate, whose id says so.
interface IHourlyCertificates is IERC1155 {
    /// @notice Settled readings of one log, in order of time.
    struct Run {
        bytes32 keyId;
        uint32 epoch;
        IWattWitness.PlacedReading[] readings;
    }

    /// @notice What a certificate says.
    struct Certificate {
        bytes32 meter;
        /// Unix time, s: full hours
        uint40 start;
        uint40 end;
        /// mWh, all of it; 0 = it is not issued
        uint64 energy;
        /// mWh of it that was redeemed
        uint64 redeemed;
    }

    /// @notice Emitted when hours become certificates, before their TransferBatch.
    /// @param ids each says start and length: idOf
    /// @param energies mWh of each
    event Issued(bytes32 indexed meter, address indexed issuer, uint256[] ids, uint256[] energies);
    /// @notice Emitted when a certificate becomes tokens again, and its hours are open.
    event Unissued(uint256 indexed id, bytes32 indexed meter, address indexed holder, uint64 energy);
    /// @notice Emitted when a certificate, or a part of it, is used up.
    /// @param serial of the tokens' retirement, which says when and what for: IProductionToken.retirement
    /// @param from the first mWh of the certificate that it was: those before were redeemed earlier
    /// @param energy mWh
    event Redeemed(
        uint256 indexed id,
        uint256 indexed serial,
        address indexed holder,
        address beneficiary,
        uint64 from,
        uint64 energy
    );
    /// @notice Emitted when a meter's owner says who may issue.
    event IssuerNamed(bytes32 indexed meter, address indexed owner, address indexed issuer);
    /// @notice Emitted when the document behind a meter's details is on chain.
    event DetailsTold(bytes32 indexed meter);

    /// @notice Thrown when somebody issues whom the meter's owner does not let.
    error IssuerNotNamed(bytes32 meter, address caller);
    /// @notice Thrown when somebody other than the meter's owner names who may issue.
    error CallerNotMetersOwner(bytes32 meter, address caller);
    /// @notice Thrown when a run is of another meter's key.
    error KeyNotOfMeter(bytes32 keyId, bytes32 meter);
    /// @notice Thrown when a run is of an epoch that is not after the one before it.
    error EpochNotForward(bytes32 keyId, uint32 epoch, uint32 before);
    /// @notice Thrown when a reading is not part of the settled log, or not from within its key's interval.
    error BoundaryNotProven(bytes32 keyId, uint32 epoch, uint64 index);
    /// @notice Thrown when readings are not in order of time.
    error ReadingsNotForward(uint32 timestamp, uint32 before);
    /// @notice Thrown when a register went backward within a log.
    error RegisterBackward(uint64 energy, uint64 before);
    /// @notice Thrown when a full hour is passed over between two readings that others may lie between.
    /// @param hour Unix time, s
    error HourSkipped(uint256 hour);
    /// @notice Thrown when an hour is a certificate already.
    error HourAlreadyIssued(bytes32 meter, uint256 start, uint256 end);
    /// @notice Thrown when what is proven makes no certificate: no two full hours, or no energy between them.
    error NothingToIssue();
    /// @notice Thrown when another meter's ids begin with the same 24 bytes.
    error MeterAmbiguous(bytes32 meter, bytes32 other);
    /// @notice Thrown when a certificate is not issued.
    error CertificateUnknown(uint256 id);
    /// @notice Thrown when the caller has not all of a certificate that he un-issues.
    error NotAllHeld(uint256 id, uint256 held, uint64 energy);
    /// @notice Thrown when a certificate would be of 275 MWh (2^38 mWh), or of 512 hours, and more.
    error CertificateTooLarge(uint256 energy, uint256 span);
    /// @notice Thrown when nothing is redeemed.
    error EnergyZero();
    /// @notice Thrown when a document is not the one whose hash the meter was registered with.
    error DetailsDiffer(bytes32 meter, bytes32 details);

    /// @notice Says who may issue certificates of a meter's hours beside its owner; zero = nobody, ANYONE = who comes first.
    /// Only the meter's owner; another owner has to say it again.
    /// @dev Reverts with CallerNotMetersOwner.
    function nameIssuer(bytes32 meter, address issuer) external;

    /// @notice Makes certificates of a meter's hours, for the caller, who gives exactly their energy in tokens: 10^12 units for
    /// each mWh, which he has approved. Every full hour that is a reading of the runs is a boundary; between every two of them
    /// that follow each other is one certificate. Hours without any energy are none, and stay open.
    ///
    /// A boundary is missing only where it is proven to be: between two readings that stand beside each other in a log, or
    /// between the last of one and the first of the next; and where the reading there says that its clock or its enclosure is
    /// in doubt. Where a log ends, its last reading and the first of the next one
    /// are given too: what the register of the same key rose between them counts (ILens.energyOf).
    /// @dev Reverts, in this order: IssuerNotNamed, MeterAmbiguous, KeyNotOfMeter, EpochNotForward, then per reading BoundaryNotProven,
    /// ReadingsNotForward, RegisterBackward, HourSkipped, HourAlreadyIssued, CertificateTooLarge; then NothingToIssue, and as the
    /// token's transferFrom.
    /// @return ids of the certificates, in order of time
    function issue(bytes32 meter, Run[] calldata runs) external returns (uint256[] memory ids);

    /// @notice Uses up `energy` mWh of a certificate of the caller's, and retires the tokens beneath, in somebody's name.
    /// @dev Reverts, in this order: EnergyZero, ERC1155InsufficientBalance.
    /// @param beneficiary in whose name; zero = nobody who has an address
    /// @param purpose what for
    /// @return serial of the tokens' retirement
    function redeem(
        uint256 id,
        uint64 energy,
        address beneficiary,
        string calldata purpose
    ) external returns (uint256 serial);

    /// @notice Takes the tokens back for a certificate that the caller has all of, so that nothing of it was redeemed. Its
    /// hours are open again.
    /// @dev Reverts with CertificateUnknown or NotAllHeld.
    function unissue(uint256 id) external;

    /// @notice Puts the document behind a meter's details on chain, for `uri`. Anyone: its SHA-256 or Keccak-256 is what the
    /// meter was registered with.
    /// @dev Reverts with DetailsDiffer.
    function tellDetails(bytes32 meter, bytes calldata document) external;

    /// @notice The account that stands for anyone: nameIssuer.
    // solhint-disable-next-line func-name-mixedcase
    function ANYONE() external view returns (address);

    /// @notice Who may issue beside the meter's owner; zero = nobody, ANYONE = who comes first.
    function issuerOf(bytes32 meter) external view returns (address);

    /// @notice What a certificate says.
    /// @dev Reverts with CertificateUnknown.
    function certificateOf(uint256 id) external view returns (Certificate memory);

    /// @notice The id of a meter's certificate: the first 24 bytes of the meter, then start and length (s), 4 bytes each.
    function idOf(bytes32 meter, uint256 start, uint256 end) external pure returns (uint256);

    /// @notice Which of the hours of a meter are issued: a bit each, from the one that begins at 256 x 3,600 x `word` on.
    function issuedHours(bytes32 meter, uint256 word) external view returns (uint256);

    /// @notice ERC-1155 metadata, on chain: a data URL of JSON with EnergyTag's names.
    /// @dev Reverts with CertificateUnknown.
    function uri(uint256 id) external view returns (string memory);

    /// @notice Where the logs are settled.
    function wattWitness() external view returns (IWattWitness);

    /// @notice What the certificates stand on.
    function token() external view returns (IProductionToken);
}
