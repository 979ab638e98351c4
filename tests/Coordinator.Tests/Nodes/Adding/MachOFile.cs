using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>What macOS checks of an executable before it starts it: a Mach-O for its processor, with an embedded signature whose page hashes fit.</summary>
/// <remarks>Source: mach-o/loader.h and Kernel/kern/cs_blobs.h of apple-oss-distributions/xnu.</remarks>
internal sealed class MachOFile
{
    private const uint Magic64 = 0xFEEDFACF;
    private const uint CodeSignatureCommand = 0x1D;
    private const uint SuperBlob = 0xFADE0CC0;
    private const uint CodeDirectory = 0xFADE0C02;

    private readonly byte[] _bytes;

    public MachOFile(byte[] bytes)
    {
        _bytes = bytes;
        if (Little(0) != Magic64)
        {
            throw new InvalidDataException($"The magic number is {Little(0):x8}, not that of a 64-bit Mach-O.");
        }
    }

    /// <summary>0x0100000C for arm64.</summary>
    public uint Processor => Little(4);

    /// <summary>2 for an executable.</summary>
    public uint FileType => Little(12);

    /// <summary>Reads the signature; every page of the file is hashed and compared.</summary>
    /// <returns>Its flags (0x2: ad hoc), its identifier, and how many pages it covers.</returns>
    /// <exception cref="InvalidDataException">There is none, or it does not fit the file.</exception>
    public (uint Flags, string Identifier, int Pages) CheckSignature()
    {
        var directory = FindDirectory();
        var (flags, hashes, identifier) = (Big(directory + 12), directory + (int)Big(directory + 16), directory + (int)Big(directory + 20));
        var (pages, limit) = ((int)Big(directory + 28), (int)Big(directory + 32));
        var (hashSize, hashType, pageSize) = (_bytes[directory + 36], _bytes[directory + 37], 1 << _bytes[directory + 39]);
        if ((hashSize, hashType) != (32, 2))
        {
            throw new InvalidDataException($"Hashes are of type {hashType} with {hashSize} bytes, not SHA-256.");
        }

        for (var page = 0; page < pages; page++)
        {
            var length = Math.Min(pageSize, limit - (page * pageSize));
            if (!SHA256.HashData(_bytes.AsSpan(page * pageSize, length)).AsSpan().SequenceEqual(_bytes.AsSpan(hashes + (page * hashSize), hashSize)))
            {
                throw new InvalidDataException($"Page {page} of {pages} has another hash than the signature says.");
            }
        }

        var end = Array.IndexOf(_bytes, (byte)0, identifier);
        return ((pages * (long)pageSize) >= limit ? flags : throw new InvalidDataException("The signature does not cover the whole file."), Encoding.ASCII.GetString(_bytes, identifier, end - identifier), pages);
    }

    private int FindDirectory()
    {
        var command = 32;
        for (var left = Little(16); left > 0; left--, command += (int)Little(command + 4))
        {
            if (Little(command) == CodeSignatureCommand)
            {
                return InSuperBlob((int)Little(command + 8));
            }
        }

        throw new InvalidDataException("There is no LC_CODE_SIGNATURE: Apple silicon would end the program at its start.");
    }

    private int InSuperBlob(int blob)
    {
        if (Big(blob) != SuperBlob)
        {
            throw new InvalidDataException($"The signature begins with {Big(blob):x8}.");
        }

        for (var index = 0; index < Big(blob + 8); index++)
        {
            var part = blob + (int)Big(blob + 12 + (index * 8) + 4);
            if (Big(part) == CodeDirectory)
            {
                return part;
            }
        }

        throw new InvalidDataException("The signature has no code directory.");
    }

    private uint Little(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));

    private uint Big(int at) => BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(at));
}
