package msgraph

// refusal is the meaning of AADSTS errors and what to do about them.
type refusal struct {
	codes      []int
	what, todo string
}

// passingFault is the error of the identity platform for which asking again helps.
const passingFault = 90033

// refusals are the AADSTS errors that apps meet (Microsoft Entra, "authentication and authorization error codes").
var refusals = []refusal{
	{[]int{7000215}, "the client secret is wrong", "put the secret's value, not its id, into client_secret or its file"},
	{
		[]int{7000222},
		"the client secret has expired",
		"make a new secret in the app registration (Certificates & secrets) and put it into client_secret or its file",
	},
	{
		[]int{700016},
		"the tenant doesn't know this app",
		"check client_id and tenant_id; an app of another tenant needs the consent of an administrator of this one first",
	},
	{
		[]int{7000229, 65001},
		"consent is missing: nobody has consented to the app in the tenant",
		"have an administrator of the tenant grant admin consent to CallRecords.Read.All",
	},
	{[]int{7000112}, "the app is disabled in the tenant", "enable sign-in for it under Enterprise applications"},
	{[]int{90002}, "there is no such tenant", "check tenant_id, and cloud: tenants of GCC High and DoD are known in usgov_l4 and usgov_l5 only"},
	{
		[]int{900021, 900023, 50059},
		"tenant_id isn't the name of a tenant",
		"give the directory (tenant) id from the app registration's overview",
	},
	{
		[]int{90038, 900382},
		"the tenant belongs to another cloud",
		"set cloud: usgov_l4 is GCC High, usgov_l5 is DoD, all else (GCC too) is global",
	},
	{[]int{500011}, "the tenant doesn't know Microsoft Graph under this address", "check cloud: it must be the one that the tenant belongs to"},
	{
		[]int{700027},
		"the certificate isn't one of the app's",
		"upload the certificate to the app registration (Certificates & secrets), or name the file of one that is there and hasn't expired",
	},
	{
		[]int{700024},
		"the signed assertion isn't valid at this time",
		"set the machine's clock; with workload_identity, see that the token file is renewed",
	},
	{
		[]int{70021, 700211, 700212, 700213},
		"no federated credential of the app fits the token in token_file",
		"compare issuer, subject and audience of the app's federated credential with those of the service account",
	},
	{
		[]int{53003},
		"a conditional access policy keeps the app out",
		"exempt the workload identity from the policy, or let the exporter run where the policy allows",
	},
	{[]int{passingFault}, "the identity platform has a passing fault", "wait: it is asked again"},
}
