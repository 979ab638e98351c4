using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.ServiceDefaults;

if (HelpText.IsAsked(args))
{
    Console.WriteLine(HelpText.Write());
    return 0;
}

var reading = SettingsSources.Read(args);
return reading.Problems.Count > 0
    ? StandaloneProgram.Refuse(reading.Problems, Console.Error, StartFailures.InvalidSettings)
    : await StandaloneProgram.RunAsync(reading.Settings, Console.Out, Console.Error);
