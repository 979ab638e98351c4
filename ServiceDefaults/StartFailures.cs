using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace ClusterLlm.ServiceDefaults;

/// <summary>A start-up failure that a person can mend.</summary>
/// <param name="ExitCode">2: settings; 3: an address that can't be listened on.</param>
/// <param name="Message">One line: what, the value, what to do.</param>
internal sealed record StartFailure(int ExitCode, string Message);

/// <summary>Settings that can't be used; the message names the key and the value.</summary>
public sealed class SettingsException(string message) : Exception(message);

/// <summary>Turns known start-up failures into one line and an exit code.</summary>
internal static class StartFailures
{
    public const int InvalidSettings = 2;
    public const int AddressUnavailable = 3;

    /// <summary>What went wrong, or <see langword="null"/> for a failure that only a stack trace explains.</summary>
    public static StartFailure? Explain(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions: [var only] } => Explain(only),
        OptionsValidationException options => new(InvalidSettings, $"Settings are not valid: {string.Join("; ", options.Failures)}"),
        SettingsException settings => new(InvalidSettings, settings.Message),
        InvalidDataException { Source: "Microsoft.Extensions.Configuration.Json" } file => new(InvalidSettings, Join(file)),
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } binding => new(InvalidSettings, $"Settings are not valid: {Join(binding)}"),
        IOException { InnerException: AddressInUseException } inUse =>
            new(AddressUnavailable, $"{TrimEnd(inUse.Message)}. End the process that holds it, or choose another port in the settings."),
        AddressInUseException inUse => new(AddressUnavailable, $"{TrimEnd(inUse.Message)}. Choose another port in the settings."),
        SocketException { SocketErrorCode: SocketError.AccessDenied or SocketError.AddressNotAvailable } socket =>
            new(AddressUnavailable, $"An address can't be listened on: {TrimEnd(socket.Message)}. Choose another address or port in the settings."),
        _ => null,
    };

    private static string Join(Exception failure) =>
        failure.InnerException is { } inner ? $"{TrimEnd(failure.Message)}: {inner.Message}" : failure.Message;

    private static string TrimEnd(string message) => message.TrimEnd('.');
}
